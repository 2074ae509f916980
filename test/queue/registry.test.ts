import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-queue-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

async function leaseOf(query: string): Promise<number | undefined> {
  const queue = await openQueue(`embedded:${join(folder, 'queue.db')}${query}`)
  await queue[Symbol.asyncDispose]()
  return queue.traits.leaseMs
}

it('embedded:PATH opens a file, with a lease of 30 seconds', async () => {
  expect(await leaseOf('')).toBe(30_000)
  expect(readdirSync(folder)).toEqual(['queue.db'])
})

it('lease states seconds, with or without their unit', async () => {
  expect(await leaseOf('?lease=2s')).toBe(2_000)
  expect(await leaseOf('?lease=0.5')).toBe(500)
  expect(await leaseOf('?lease=86400s')).toBe(86_400_000)
})

const secret = 'hunter2'

it.each([
  `embedded:`,
  `embedded:?lease=2s`,
  `embedded::memory:`,
  `embedded:/tmp/${secret}?lease=`,
  `embedded:/tmp/${secret}?lease=0s`,
  `embedded:/tmp/${secret}?lease=-1`,
  `embedded:/tmp/${secret}?lease=1h`,
  `embedded:/tmp/${secret}?lease=86401`,
  `embedded:/tmp/${secret}?lease=${secret}`,
  `embedded:/tmp/${secret}?leese=2s`,
  `embedded:/tmp/${secret}?${secret}`,
  `nosuch://user:${secret}@host/queue`,
  `//user-${secret}@host:5672/queue`,
  `user-${secret}@host:5672`,
  `/tmp/${secret}`,
  ``,
])('%s is refused as USAGE, in one line that repeats nothing of what follows the scheme', async (url) => {
  const refused = await openQueue(url).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'USAGE', message: expect.stringMatching(/^.+$/) })
  expect(String(refused)).not.toContain(secret)
})
