import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { EmbeddedQueue } from '../../src/queue/embedded/embedded.ts'
import { queueContract } from '../contract/queue/queue.ts'
import { queueModule } from './module.ts'
import { expectWhole, keysOf } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import type { LockHolderData } from './lock-holder.ts'
import { startChild } from '../contract/queue/start-child.ts'
import { Reader } from '../contract/queue/reader.ts'
import { mountSmall, skipLoudly, stracePrefix, syncsBeforeReports, withoutRights } from './system.ts'

const mib = 1024 * 1024
const makeFolder = () => mkdtempSync(join(tmpdir(), 'lading-queue-'))

queueContract('embedded', {
  module: queueModule,
  create: async (leaseMs) => {
    const folder = makeFolder()
    const url = `embedded:${join(folder, 'queue.db')}?lease=${leaseMs / 1000}s`
    return { url, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) }
  },
})

let folder = ''
let path = ''
let opened: EmbeddedQueue[] = []

beforeEach(() => {
  folder = makeFolder()
  path = join(folder, 'queue.db')
  opened = []
})

afterEach(async () => {
  for (const queue of opened) await queue[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function open(at = path): EmbeddedQueue {
  const queue = new EmbeddedQueue(at)
  opened.push(queue)
  return queue
}

function expectRefused(at: string, code: string): void {
  expect(() => open(at)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/^[^\n]+$/) }),
  )
}

describe('the file of an embedded queue', () => {
  it('is made with its folder where they are missing', async () => {
    const queue = open(join(folder, 'a/b/queue.db'))
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('is made even while another process is making it', async () => {
    const paths = Array.from({ length: 20 }, (_, i) => join(folder, `${i}.db`))
    const workerData: LockHolderData = { paths, state: new Int32Array(new SharedArrayBuffer(4)) }
    const lockHolder = new Worker(new URL('./lock-holder.ts', import.meta.url), {
      workerData,
      execArgv: ['--no-warnings'],
    })
    const ended = once(lockHolder, 'exit')
    try {
      Atomics.wait(workerData.state, 0, 0, 20_000)
      for (const at of paths) open(at)
    } finally {
      Atomics.store(workerData.state, 0, 2)
      await ended
    }
    for (const queue of opened) expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('keeps and counts a message that an older version set aside, and delivers it to no one', async () => {
    const queue = open()
    await queue.publish(messagesOf('a', 0, 2))
    using file = new SqliteFile(path)
    file.run("UPDATE message SET dead = 1, code = 'NOT_OURS', detail = 'set aside' WHERE key = 'a/0'")
    expect(await queue.depth()).toEqual({ ready: 1, inFlight: 0, dead: 1 })
    const reader = new Reader(queue)
    expect(keysOf(await reader.take(1))).toEqual(['a/1'])
    expect(await reader.takeAvailable()).toEqual([])
  })

  it('is refused when a newer version made it', async () => {
    await open()[Symbol.asyncDispose]()
    using file = new SqliteFile(path)
    file.exec('PRAGMA user_version = 99')
    expectRefused(path, 'QUEUE_NEWER')
  })

  it('is refused when it is not a database', () => {
    writeFileSync(path, 'id,time,value\n'.repeat(1_000))
    expectRefused(path, 'QUEUE_CORRUPT')
  })

  it('is refused, and gets no tables, when it is the database of something else', () => {
    using file = new SqliteFile(path)
    file.exec('CREATE TABLE theirs (id INTEGER)')
    expectRefused(path, 'QUEUE_CORRUPT')
    expect(file.all('SELECT name FROM sqlite_schema')).toEqual([{ name: 'theirs' }])
  })

  it('is refused when its path is a folder, or lies below a file', () => {
    expectRefused(folder, 'QUEUE_REFUSED')
    writeFileSync(join(folder, 'file'), '')
    expectRefused(join(folder, 'file', 'queue.db'), 'QUEUE_REFUSED')
  })

  it('is refused when its folder may not be written', async () => {
    const locked = join(folder, 'locked')
    mkdirSync(locked)
    chmodSync(locked, 0o555)
    chmodSync(folder, 0o755)
    await withoutRights(async () => {
      expectRefused(join(locked, 'queue.db'), 'QUEUE_REFUSED')
      expectRefused(join(locked, 'new', 'queue.db'), 'QUEUE_REFUSED')
    })
    expect(existsSync(join(locked, 'queue.db'))).toBe(false)
  })
})

describe('an embedded queue', () => {
  it('delivers messages in the order in which they were published', async () => {
    const queue = open()
    await queue.publish(messagesOf('a', 0, 50))
    await queue.publish(messagesOf('b', 0, 50))
    const taken = await new Reader(queue, 1_000).take(100)
    expect(keysOf(taken)).toEqual(keysOf([...messagesOf('a', 0, 50), ...messagesOf('b', 0, 50)]))
  })

  it('holds about 12 MiB of bodies in flight, however large `prefetch` is', async () => {
    const queue = open()
    for (let i = 0; i < 6; i++)
      await queue.publish([{ key: String(i), body: Buffer.alloc(4 * mib, i), headers: {} }])
    const reader = new Reader(queue, 1_000)
    const inHand = await reader.takeAvailable()
    expect(keysOf(inHand)).toEqual(['0', '1', '2'])
    await inHand[1]?.settle({ kind: 'done' })
    expect(keysOf(await reader.takeAvailable())).toEqual(['3'])
    await Promise.all([inHand[0], inHand[2]].map((delivery) => delivery?.settle({ kind: 'done' })))
    expect(keysOf(await reader.takeAvailable())).toEqual(['4', '5'])
  })

  it('delivers a body that is larger than what it holds in flight', async () => {
    const queue = open()
    await queue.publish([
      { key: 'large', body: Buffer.alloc(20 * mib, 'large'), headers: {} },
      messageOf('a', 0),
    ])
    const reader = new Reader(queue)
    const large = await reader.takeOne()
    expect(Buffer.compare(large.body, Buffer.alloc(20 * mib, 'large'))).toBe(0)
    await large.settle({ kind: 'done' })
    expectWhole(await reader.takeOne())
  })

  it('keeps a settlement that is under way when the queue is closed', async () => {
    const queue = open()
    await queue.publish([messageOf('a', 0)])
    const delivery = await new Reader(queue).takeOne()
    const settled = delivery.settle({ kind: 'done' })
    await queue[Symbol.asyncDispose]()
    await settled
    expect(await open().depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('syncs the file before a publish resolves', async (context) => {
    const trace = join(folder, 'trace')
    const prefix = stracePrefix(trace)
    if (typeof prefix === 'string') return skipLoudly(context, prefix)
    const child = startChild(
      {
        module: queueModule.href,
        url: `embedded:${path}`,
        kind: 'publish',
        name: 'a',
        count: 20,
        batch: 1,
      },
      prefix,
    )
    expect(await child.ended).toBe(0)
    expect(syncsBeforeReports(trace)).toEqual(
      Array.from({ length: 20 }, () => ({ written: true, synced: true })),
    )
  })

  it('holds when the disk is full, has lost nothing, and goes on once there is space', async (context) => {
    const small = mountSmall(join(folder, 'small'), 4_096)
    if (typeof small === 'string') return skipLoudly(context, small)
    try {
      const ballast = join(folder, 'small/ballast')
      writeFileSync(ballast, Buffer.alloc(mib))
      const queue = open(join(folder, 'small/queue.db'))
      const confirmed = await publishUntilRefused(queue)
      rmSync(ballast)
      await queue.publish([messageOf('after', 0)])
      const drained = await new Reader(queue).drain(confirmed.length + 1)
      expect(keysOf(drained)).toEqual([...confirmed, 'after/0'])
      drained.forEach(expectWhole)
      await queue[Symbol.asyncDispose]()
    } finally {
      await Promise.all(opened.map((queue) => queue[Symbol.asyncDispose]()))
      small.unmount()
    }
  })
})

it('a settlement that fails can be tried again', async () => {
  const queue = open()
  await queue.publish([messageOf('a', 0)])
  const delivery = await new Reader(queue).takeOne()
  using file = new SqliteFile(path)
  file.exec('ALTER TABLE message RENAME TO away')
  for (let n = 0; n < 2; n++) await expect(delivery.settle({ kind: 'done' })).rejects.toThrow(/no such table/)
  file.exec('ALTER TABLE away RENAME TO message')
  await delivery.settle({ kind: 'done' })
  expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
})

it('on a disk that something else has filled, consumers go on and producers are told', async (context) => {
  const small = mountSmall(join(folder, 'small'), 4_096)
  if (typeof small === 'string') return skipLoudly(context, small)
  try {
    const first = open(join(folder, 'small/queue.db'))
    await first.publish(messagesOf('a', 0, 400))
    await first[Symbol.asyncDispose]()
    const queue = open(join(folder, 'small/queue.db'))
    const reader = new Reader(queue)
    const taken = await reader.take(100)
    await Promise.all(taken.map((delivery) => delivery.settle({ kind: 'done' })))
    const ballast = openSync(join(folder, 'small/ballast'), 'w')
    for (const size of [mib, 4096, 1])
      try {
        for (;;) writeSync(ballast, Buffer.alloc(size))
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' })
      }
    closeSync(ballast)
    const rest = await reader.drain(400 - taken.length)
    expect(keysOf([...taken, ...rest])).toEqual(keysOf(messagesOf('a', 0, 400)))
    await expect(queue.publish([messageOf('b', 0)])).rejects.toMatchObject({
      code: 'QUEUE_HOLD',
      message: expect.stringContaining('the queue is empty: something else fills it'),
    })
  } finally {
    await Promise.all(opened.map((queue) => queue[Symbol.asyncDispose]()))
    small.unmount()
  }
})

async function publishUntilRefused(queue: EmbeddedQueue): Promise<string[]> {
  const confirmed: string[] = []
  for (let n = 0; n < 100_000; n += 10) {
    const messages = messagesOf('a', n, 10)
    try {
      await queue.publish(messages)
    } catch (error) {
      expect(error).toMatchObject({ code: 'QUEUE_HOLD' })
      return confirmed
    }
    confirmed.push(...keysOf(messages))
  }
  throw new Error('the disk never became full')
}

it('what a consumer held that is gone, or gave back for later, does not wait for a clock that was set back since', async () => {
  const [gone, queue] = [open(), open()]
  await queue.publish([messageOf('a', 0), messageOf('b', 0), messageOf('c', 0)])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
  try {
    const [, second, third] = await new Reader(gone).take(3)
    await second?.settle({ kind: 'retry', afterMs: 100, code: 'SINK_BUSY' })
    await third?.extend?.(60_000)
  } finally {
    vi.useRealTimers()
  }
  expect(await queue.depth()).toEqual({ ready: 3, inFlight: 0, dead: 0 })
  expect(keysOf(await queue.peek(10))).toEqual(['b/0', 'a/0', 'c/0'])
  const reader = new Reader(queue)
  expect(keysOf(await reader.take(3)).toSorted()).toEqual(['a/0', 'b/0', 'c/0'])
  expect(await queue.depth()).toEqual({ ready: 0, inFlight: 3, dead: 0 })
  await reader.stop()
})

it('what comes back does not wait until nothing new is left, nor what is new until nothing comes back', async () => {
  const queue = open()
  await queue.publish(Array.from({ length: 6 }, (_, n) => messageOf('back', n)))
  const first = new Reader(queue)
  for (const each of await first.take(6)) await each.settle({ kind: 'release', afterMs: 0 })
  await first.stop()
  await queue.publish(Array.from({ length: 6 }, (_, n) => messageOf('new', n)))
  const reader = new Reader(queue, 4)
  const keys = keysOf(await reader.take(4))
  expect(keys).toEqual(['back/0', 'back/1', 'new/0', 'new/1'])
  await reader.stop()
})

it('a clock that is set back hides no message', async () => {
  const queue = open()
  await queue.publish([messageOf('a', 0)])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  try {
    const reader = new Reader(queue)
    expect(await reader.takeOne()).toMatchObject({ attempt: 1 })
    await reader.stop()
  } finally {
    vi.useRealTimers()
  }
})
