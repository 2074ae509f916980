/**
 * What tests use of the run's shared RabbitMQ (test/setup.ts): queues of their own, and a loud skip where
 * there is no broker. A test that restarts, kills or fills a broker starts one of its own with `startRabbit`.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, inject } from 'vitest'
import { askServer } from './rabbitmq.ts'

/** The broker that every test of a run shares, which may still be starting, or why there is none. */
export type SharedRabbit = { readonly url: string } | { readonly reason: string }

declare module 'vitest' {
  interface ProvidedContext {
    rabbit: SharedRabbit
  }
}

const readyWithinMs = 55_000

/**
 * `describe` for tests that need RabbitMQ: skipped with the reason in the title where it cannot be had. The
 * tests and hooks inside find a broker that accepts connections; what runs outside, at the top of a file, may
 * be too early.
 */
export function describeRabbit(name: string, tests: () => void): void {
  const rabbit = inject('rabbit')
  if ('url' in rabbit) {
    describe(name, () => {
      beforeAll(() => accepting(rabbit.url))
      tests()
    })
  } else {
    describe.skip(`${name} (SKIPPED: ${rabbit.reason.split('\n')[0]})`, tests)
  }
}

/** The url of a queue on the shared broker whose name nobody else uses. The queue is not declared. */
export function freshQueueUrl(): string {
  const rabbit = inject('rabbit')
  if (!('url' in rabbit)) throw new Error(rabbit.reason)
  const url = new URL(rabbit.url)
  url.searchParams.set('queue', `lading-test-${randomUUID()}`)
  return url.href
}

async function accepting(url: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    try {
      await askServer(url)
      return
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error('the shared RabbitMQ did not start (its log is printed at the end of the run)', {
          cause: error,
        })
      await sleep(50)
    }
  }
}
