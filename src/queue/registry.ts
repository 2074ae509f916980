import { existsSync } from 'node:fs'
import { LadingError } from '../core/errors.ts'
import { splitScheme } from '../core/url.ts'
import type { OpenOptions, Queue } from './queue.ts'

export const defaultQueueUrl = 'embedded:./.lading/queue.db'

/**
 * Opens the queue that the URL names. Adapters are imported when used, so that no driver is loaded that
 * nobody needs.
 */
export async function openQueue(url: string = defaultQueueUrl, options: OpenOptions = {}): Promise<Queue> {
  const { scheme, rest } = splitScheme(url) ?? {}
  if (scheme === undefined || rest === undefined)
    throw new LadingError('USAGE', 'the queue URL has no scheme: embedded:PATH or amqp://…')
  switch (scheme) {
    case 'embedded': {
      const { EmbeddedQueue } = await import('./embedded/embedded.ts')
      const { path, lease } = parseEmbedded(rest)
      if (options.create === false && !existsSync(path))
        throw new LadingError('QUEUE_MISSING', `there is no queue ${path}`)
      return new EmbeddedQueue(path, { leaseMs: lease === undefined ? undefined : seconds(lease) })
    }
    case 'amqp':
    case 'amqps': {
      const { openRabbitQueue } = await import('./rabbitmq/rabbitmq.ts')
      return await openRabbitQueue(url, options)
    }
    case 'http':
    case 'https': {
      const { openSqsQueue } = await import('./sqs/sqs.ts')
      return await openSqsQueue(url, options)
    }
    default:
      throw new LadingError(
        'USAGE',
        `no queue is known for '${scheme}:'; there are embedded:PATH, amqp://…, amqps://… and the https://… of SQS`,
      )
  }
}

function parseEmbedded(rest: string): { path: string; lease: string | undefined } {
  const mark = rest.indexOf('?')
  const path = mark < 0 ? rest : rest.slice(0, mark)
  if (path === '' || path === ':memory:')
    throw new LadingError('USAGE', 'the queue URL names no file: embedded:PATH')
  const { lease, ...others } = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : rest.slice(mark)))
  if (Object.keys(others).length > 0)
    throw new LadingError('USAGE', 'the queue URL has an unknown parameter; there is lease')
  return { path, lease }
}

function seconds(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1])
  if (!(value >= 0.1 && value <= 86_400)) {
    throw new LadingError(
      'USAGE',
      'the lease in the queue URL must be seconds from 0.1 to 86400, such as lease=30s',
    )
  }
  return value * 1000
}
