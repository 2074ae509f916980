import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { Leases } from '../../src/consumer/intake.ts'
import { withBodies } from '../../src/consumer/bodies.ts'
import { replayLetter as replay } from '../../src/review/letters.ts'
import { RootedFiles } from '../../src/source/file/rooted.ts'
import { LadingError } from '../../src/core/errors.ts'
import { ignoreEvents } from '../../src/core/events.ts'
import type { ProduceOptions } from '../../src/producer/options.ts'
import { produce } from '../../src/producer/produce.ts'
import { republishMissing } from '../../src/producer/republish.ts'
import { maxReferenceBytes } from '../../src/core/load.ts'
import { type ChunkEnvelope, readEnvelope } from '../../src/queue/envelope.ts'
import type { Delivery, Outgoing, Queue } from '../../src/queue/queue.ts'
import { balance } from '../../src/sink/receipt.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import type { Sink, Verdict } from '../../src/sink/sink.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { untouched, EventLog, wrapQueue, wrapSink } from '../support/wrappers.ts'

/** A fixture with a root in it, and what goes through it. */
async function bench() {
  const fixture = await Fixture.open()
  const root = join(fixture.folder, 'shared')
  await mkdir(root)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const refer = (paths: readonly string[], more: Partial<ProduceOptions> = {}, to: Queue = queue) =>
    produce(fixture.producing(to, paths, { carry: 'reference', root, chunkBytes: 1_000, ...more }))
  return {
    fixture,
    root,
    queue,
    sink,
    refer,
    at: (name: string) => join(root, name),
    /** A file below the root with the next `count` numbers. */
    file: (count: number, name = 'a.csv') => fixture.file(count, `shared/${name}`),
    /** The messages that would be published for the paths. */
    messages: async (paths: readonly string[], more: Partial<ProduceOptions> = {}) => {
      const messages: Outgoing[] = []
      await refer(
        paths,
        more,
        wrapQueue(queue, untouched, { publish: async (some) => void messages.push(...some) }),
      )
      return messages
    },
    consume: (more: Partial<ConsumerOptions> = {}) =>
      createConsumer({ queue, sink, model: numbers, root, ...more }).run({ untilEmpty: true }),
    letters: () => sink.ledger.deadLetters({ limit: 1_000 }),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

function altered(message: Outgoing, change: (envelope: ChunkEnvelope) => object): Outgoing {
  const envelope = JSON.parse(message.headers['lading'] as string) as ChunkEnvelope
  return { ...message, headers: { lading: JSON.stringify({ ...envelope, ...change(envelope) }) } }
}

const replayed = async (sink: Sink, root: string, letters: readonly StoredDeadLetter[]): Promise<Verdict[]> =>
  Promise.all(letters.map((letter) => replay(letter, { sink, model: numbers, root })))

describe('a path that leads where it must not', () => {
  const hostile: [string, string][] = [
    ['upwards', '../outside.csv'],
    ['upwards from within', 'sub/../../outside.csv'],
    ['from the beginning', '/etc/passwd'],
    ['from a drive', 'C:/outside.csv'],
    ['from where a drive stands', 'c:outside.csv'],
    ['upwards on another system', '..\\outside.csv'],
    ['to another server', '\\\\server\\share\\a.csv'],
    ['past a NUL', 'a.csv\0.txt'],
    ['nowhere', ''],
    ['to the root itself', '.'],
    ['in two steps at once', 'sub//inside.csv'],
    ['on the spot', './a.csv'],
    ['into a folder', 'sub/'],
    ['to a folder', 'sub'],
    ['to half a character', '\ud800.csv'],
    ['too far', `${'sub/'.repeat(2_000)}a.csv`],
    ['through a link to a file outside', 'link.csv'],
    ['through a link to a folder outside', 'link/outside.csv'],
    ['through a link to a device', 'device'],
    ['to a pipe, which nobody writes into', 'pipe'],
  ]

  it.each(hostile)('(%s) is refused, and the rest goes on', { timeout: 10_000 }, async (_, path) => {
    await using all = await bench()
    const { fixture, at, queue, consume, letters } = all
    const [good] = (await all.messages([await all.file(20)])) as [Outgoing]
    await mkdir(at('sub'))
    const outside = await fixture.file(20, 'outside.csv')
    await symlink(outside, at('link.csv'))
    await symlink(fixture.folder, at('link'))
    await symlink('/dev/zero', at('device'))
    execFileSync('mkfifo', [at('pipe')])
    // The bytes would be right: only the path is wrong.
    const [wrong] = (await all.messages([outside], { root: fixture.folder })) as [Outgoing]
    const bad = altered(wrong, ({ reference }) => ({ reference: { ...reference, path } }))
    await queue.publish([bad, good])
    expect(await consume()).toMatchObject({ deadMessages: 1, loaded: 20 })
    const [letter, ...others] = await letters()
    expect(others).toEqual([])
    expect(letter).toMatchObject({ code: 'REFERENCE_REFUSED', records: 0 })
    expect(letter?.body).toHaveLength(0)
    expect(letter?.detail).toContain(JSON.stringify(path).slice(1, 100).replace(/"$/, ''))
    expect(JSON.stringify(letter)).not.toContain('note of')
  })

  it('is not taken for one by a link that stays below the root', async () => {
    await using all = await bench()
    const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
    await symlink('a.csv', all.at('link.csv'))
    await all.queue.publish([
      altered(message, ({ reference }) => ({ reference: { ...reference, path: 'link.csv' } })),
    ])
    expect(await all.consume()).toMatchObject({ deadMessages: 0, loaded: 20 })
  })

  it.runIf(process.platform === 'linux')(
    'is not read even if a folder becomes a link out while it is opened',
    async () => {
      await using all = await bench()
      const outside = join(all.fixture.folder, 'outside')
      await Promise.all([mkdir(all.at('sub')), mkdir(outside)])
      await Promise.all([
        writeFile(all.at('sub/a.csv'), 'inside'),
        writeFile(join(outside, 'a.csv'), 'secret'),
      ])
      const [folder, kept] = [all.at('sub'), all.at('kept')].map((path) => JSON.stringify(path))
      const swap = `const fs = require('node:fs')
      for (;;) {
        fs.renameSync(${folder}, ${kept}); fs.symlinkSync(${JSON.stringify(outside)}, ${folder})
        fs.unlinkSync(${folder}); fs.renameSync(${kept}, ${folder})
      }`
      const swapper = spawn(process.execPath, ['-e', swap])
      const gone = new Promise((resolve) => swapper.once('exit', resolve))
      const files = await RootedFiles.open(all.root)
      // What the message states is what lies outside.
      const range = {
        path: 'sub/a.csv',
        byteStart: 0,
        bytes: 6,
        sha256: createHash('sha256').update('secret').digest('hex'),
      }
      const met = new Set<string>()
      for (const end = performance.now() + 2_000; performance.now() < end;) {
        const read = await files.read(range)
        met.add(Buffer.isBuffer(read) ? 'bytes' : read.code)
      }
      await files.close()
      swapper.kill()
      await gone
      expect(met).toContain('REFERENCE_REFUSED')
      expect(met).not.toContain('bytes')
    },
  )

  it('is refused in a replay too', async () => {
    await using all = await bench()
    const outside = await all.fixture.file(20, 'outside.csv')
    await all.queue.publish(await all.messages([outside], { root: all.fixture.folder }))
    await all.consume()
    const letters = await all.letters()
    expect(letters).toMatchObject([{ code: 'REFERENCE_UNREADABLE' }])
    await symlink(outside, all.at('outside.csv'))
    expect(await replayed(all.sink, all.root, letters)).toMatchObject([
      { kind: 'refused', code: 'REFERENCE_REFUSED' },
    ])
    expect(await replayed(all.sink, all.fixture.folder, letters)).toMatchObject([
      { kind: 'applied', loaded: 20 },
    ])
  })
})

describe('a range', () => {
  it('that is too large is refused before anything is allocated', async () => {
    await using all = await bench()
    const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
    await truncate(all.at('a.csv'), 10 * maxReferenceBytes)
    const before = process.memoryUsage().arrayBuffers
    await all.queue.publish([
      altered(message, ({ reference }) => ({ reference: { ...reference, bytes: 8 * maxReferenceBytes } })),
    ])
    await all.consume()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(maxReferenceBytes)
    expect(await all.letters()).toMatchObject([{ code: 'REFERENCE_REFUSED' }])
  })

  it.each([
    ['beyond the end of the file', { byteStart: Number.MAX_SAFE_INTEGER }, 'CHECKSUM'],
    ['without a byte', { reference: { path: 'a.csv', bytes: 0 } }, 'BAD_ENVELOPE'],
    ['of a negative length', { reference: { path: 'a.csv', bytes: -1 } }, 'BAD_ENVELOPE'],
    ['without a path', { reference: { bytes: 5 } }, 'BAD_ENVELOPE'],
    ['of no reference', { reference: undefined }, 'BAD_ENVELOPE'],
    ['whose hash is a list of one', { sha256: ['0'.repeat(64)] }, 'BAD_ENVELOPE'],
    ['in a message of the version without references', { v: 1 }, 'BAD_ENVELOPE'],
  ])('%s is no chunk', async (_, change, code) => {
    await using all = await bench()
    const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
    await all.queue.publish([altered(message, () => change)])
    expect(await all.consume()).toMatchObject({ deadMessages: 1, loaded: 0 })
    expect(await all.letters()).toMatchObject([{ code, records: 0 }])
  })
})

describe('a file that is not what it was', () => {
  it.each([
    ['missing', 'REFERENCE_UNREADABLE', (path: string) => rm(path)],
    [
      'led to by a link to itself',
      'REFERENCE_UNREADABLE',
      async (path: string) => (await rm(path), symlink(path, path)),
    ],
    ['cut', 'CHECKSUM', (path: string) => truncate(path, 0)],
    [
      'written over',
      'CHECKSUM',
      async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replaceAll('note', 'nota')),
    ],
  ])('(%s) makes its chunks dead letters, which load when it is back', async (_, code, change) => {
    await using all = await bench()
    const path = await all.file(200)
    await copyFile(path, `${path}.kept`)
    const [load] = await all.refer([path])
    await all.refer([await all.file(20, 'other.csv')])
    await change(path)
    expect(await all.consume()).toMatchObject({ deadMessages: load?.chunks, loaded: 20 })
    const letters = await all.letters()
    for (const letter of letters) {
      expect(letter).toMatchObject({ code, records: 0 })
      // Else a replay could not read the file, and what it holds now would be told.
      expect(letter.body).toHaveLength(0)
      expect(letter.detail).toContain('"a.csv"')
    }
    expect(new Set((await replayed(all.sink, all.root, letters)).map(({ kind }) => kind))).toEqual(
      new Set(['refused']),
    )
    await rm(path, { force: true })
    await rename(`${path}.kept`, path)
    expect(new Set((await replayed(all.sink, all.root, letters)).map(({ kind }) => kind))).toEqual(
      new Set(['applied']),
    )
    expect(new Set((await replayed(all.sink, all.root, letters)).map(({ kind }) => kind))).toEqual(
      new Set(['duplicate']),
    )
    await all.fixture.expectAllOnce()
  })

  it('in one place leaves that chunk open, and what is published again completes the load', async () => {
    await using all = await bench()
    const path = await all.file(500)
    const [load] = await all.refer([path])
    const damaged = await readFile(path)
    await rename(path, `${path}.kept`)
    damaged.write('#', damaged.length >> 1)
    await writeFile(path, damaged)
    expect(await all.consume()).toMatchObject({ deadMessages: 1 })
    const loadId = load?.loadId ?? ''
    const [receipt] = await all.sink.ledger.receipts({ loads: [loadId] })
    // A chunk that nobody could prove has no verdict: it might be any message that says so.
    expect(receipt).toMatchObject({ dead: 0, deadLetters: 0, chunksDone: (load?.chunks ?? 0) - 1 })
    const { open, problems } = balance(receipt as NonNullable<typeof receipt>)
    expect({ open: open > 0, problems }).toEqual({ open: true, problems: [] })
    await rename(`${path}.kept`, path)
    const known = await all.sink.ledger.progress(loadId)
    const statePath = join(all.fixture.folder, 'producer.db')
    expect(
      await republishMissing({
        queue: all.queue,
        place: all.sink.place,
        loadId,
        known,
        statePath,
        carry: 'reference',
        root: all.root,
      }),
    ).toBe(1)
    expect(await all.consume()).toMatchObject({ deadMessages: 0, messages: 1 })
    await all.fixture.expectAllOnce()
    expect(await replayed(all.sink, all.root, await all.letters())).toMatchObject([{ kind: 'duplicate' }])
  })

  it('when it was read last is read once more before it is given up', async () => {
    await using all = await bench()
    const [first, second] = (await all.messages([await all.file(200)])) as [Outgoing, Outgoing]
    const rangeOf = (message: Outgoing) => {
      const { reference, byteStart, sha256 } = readEnvelope(message.headers) as ChunkEnvelope &
        Required<Pick<ChunkEnvelope, 'reference'>>
      return { ...reference, byteStart, sha256 }
    }
    const right = await readFile(all.at('a.csv'))
    const half = Buffer.from(right)
    half.fill('#', rangeOf(second).byteStart)
    await writeFile(all.at('a.csv'), half)
    const files = await RootedFiles.open(all.root)
    expect(await files.read(rangeOf(first))).toBeInstanceOf(Buffer)
    await writeFile(all.at('b.csv'), right)
    await rename(all.at('b.csv'), all.at('a.csv'))
    expect(await files.read(rangeOf(second))).toBeInstanceOf(Buffer)
    await files.close()
  })
})

describe('a message that comes again when its file is gone', () => {
  it('after its load is complete is a duplicate', async () => {
    await using all = await bench()
    const messages = await all.messages([await all.file(200)])
    await all.queue.publish(messages)
    await all.consume()
    await rm(all.at('a.csv'))
    await all.queue.publish(messages)
    expect(await all.consume()).toMatchObject({ deadMessages: 0, duplicates: messages.length })
    expect(await all.letters()).toEqual([])
    await all.fixture.expectAllOnce()
  })

  it('after its chunk alone took effect is a duplicate, and the chunks that did not are dead', async () => {
    await using all = await bench()
    const messages = await all.messages([await all.file(200)])
    await all.queue.publish(messages.slice(0, 1))
    await all.consume()
    await rm(all.at('a.csv'))
    await all.queue.publish(messages)
    expect(await all.consume()).toMatchObject({ deadMessages: messages.length - 1, duplicates: 1 })
  })

  it('is kept as a dead letter all the same where it refers to what it must not', async () => {
    await using all = await bench()
    const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
    await all.queue.publish([message])
    await all.consume()
    await all.queue.publish([
      altered(message, ({ reference }) => ({ reference: { ...reference, path: '../a.csv' } })),
    ])
    expect(await all.consume()).toMatchObject({ deadMessages: 1, duplicates: 0 })
  })
})

it('letters of the same key that refer to different files are both kept', async () => {
  await using all = await bench()
  const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
  await rm(all.at('a.csv'))
  await all.queue.publish([
    message,
    altered(message, ({ reference }) => ({ reference: { ...reference, path: 'b.csv' } })),
    message,
  ])
  await all.consume()
  expect((await all.letters()).map(({ detail }) => detail.slice(0, 7))).toEqual(['"a.csv"', '"b.csv"'])
})

it('a chunk that was read and does not fit keeps its bytes and its load in its dead letter', async () => {
  await using all = await bench()
  const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
  await all.queue.publish([altered(message, () => ({ fields: ['id', 'nonsense'] }))])
  await all.consume()
  const [letter] = await all.letters()
  expect(letter).toMatchObject({ code: 'MODEL_MISMATCH', records: 20 })
  expect(Buffer.from(letter?.body ?? []).toString()).toContain('20,note of 20\n')
})

it('a message that used up its attempts is not read, and loads by its replay', async () => {
  await using all = await bench()
  await all.queue.publish(await all.messages([await all.file(20)]))
  for await (const deliveries of all.queue.deliveries({ prefetch: 100 })) {
    await Promise.all(
      deliveries.map((delivery) => delivery.settle({ kind: 'retry', afterMs: 0, code: 'ABORTED' })),
    )
    if (deliveries.length > 0) break
  }
  expect(await all.consume({ maxAttempts: 1 })).toMatchObject({ deadMessages: 1, loaded: 0 })
  const letters = await all.letters()
  expect(letters).toMatchObject([{ code: 'ATTEMPTS_EXHAUSTED', records: 0 }])
  expect(await replayed(all.sink, all.root, letters)).toMatchObject([{ kind: 'applied' }])
  await all.fixture.expectAllOnce()
})

describe('the root', () => {
  it.each(['nowhere', 'a.csv'])('that is no folder (%s) keeps the consumer from starting', async (name) => {
    await using all = await bench()
    await all.refer([await all.file(20)])
    await expect(all.consume({ root: all.at(name) })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      exitCode: 78,
    })
    expect(await all.queue.depth()).toMatchObject({ ready: 1, inFlight: 0 })
  })

  it('that goes away is waited for, and no message is buried for it', async () => {
    await using all = await bench()
    await all.refer([await all.file(200)])
    const eventLog = new EventLog()
    const moved = `${all.root}.moved`
    const sink = wrapSink(all.sink, async (method, real) => {
      // By then the consumer knows its root.
      if (method === 'prepare') await rename(all.root, moved)
      return real()
    })
    const back = eventLog.next('waiting').then(() => rename(moved, all.root))
    expect(await all.consume({ sink, onEvent: eventLog.listen })).toMatchObject({
      deadMessages: 0,
      loaded: 200,
    })
    await back
    expect(eventLog.of('waiting')[0]).toMatchObject({ code: 'REFERENCE_HOLD' })
    expect(eventLog.of('resumed')[0]).toMatchObject({ code: 'REFERENCE_HOLD' })
    await all.fixture.expectAllOnce()
  })
})

describe('references are read lazily', () => {
  /** Deliveries of the messages, in one array, and how often a file was read for them. */
  async function counted(messages: readonly (Outgoing & { attempt?: number })[], before = () => {}) {
    const deliveries = messages.map((message): Delivery => ({
      attempt: 1,
      ...message,
      settle: async () => undefined,
    }))
    const read: string[] = []
    const given: Buffer[] = []
    const files = {
      read: async ({ path }: { path: string }) => {
        before()
        read.push(path)
        return Buffer.alloc(1)
      },
      give: (bytes: Buffer) => given.push(bytes),
      close: async () => undefined,
    }
    const leases = new Leases(undefined)
    const arrivals = withBodies(leases.hold(once(deliveries)), {
      files: files as unknown as RootedFiles,
      pipeline: 'numbers',
      maxAttempts: 20,
      leases,
      stop: new AbortController().signal,
      onEvent: ignoreEvents,
    })
    return { read, given, arrivals, leases }
  }

  async function* once<T>(value: T) {
    yield value
  }

  it('again when its turn comes, where the one ahead could not be had yet', async () => {
    await using all = await bench()
    const messages = await all.messages([await all.file(200)])
    let asked = 0
    const { arrivals } = await counted(messages, () => {
      if (++asked === 2) throw new LadingError('REFERENCE_HOLD', 'not yet, says the test')
    })
    vi.spyOn(Math, 'random').mockReturnValue(0)
    try {
      let seen = 0
      for await (const arrived of arrivals) seen += arrived.length
      expect([seen, asked]).toEqual([messages.length, messages.length + 1])
    } finally {
      vi.restoreAllMocks()
    }
  })

  it('one ahead, however many the queue hands out', async () => {
    await using all = await bench()
    const messages = await all.messages([await all.file(2_000)])
    const { read, arrivals, leases } = await counted(messages)
    let seen = 0
    for await (const arrived of arrivals) {
      expect(read.length).toBeLessThanOrEqual(seen + 2)
      // Those that wait for their turn are kept ours, and those that are settled are not.
      expect(leases.held.length).toBe(messages.length - seen)
      for (const each of arrived) leases.release(each)
      seen += arrived.length
    }
    expect(seen).toBe(messages.length)
    expect(seen).toBeGreaterThan(20)
  })

  it('and their memory is given back once, however often they are settled', async () => {
    await using all = await bench()
    const { given, arrivals } = await counted(await all.messages([await all.file(20)]))
    for await (const [arrived] of arrivals) {
      await arrived?.settle({ kind: 'retry', afterMs: 0, code: 'SINK_UNAVAILABLE' })
      expect(given).toEqual([])
      for (let n = 0; n < 2; n++) await arrived?.settle({ kind: 'done' })
    }
    expect(given).toEqual([Buffer.alloc(1)])
  })

  it('but not those of another pipeline, nor those that were delivered too often', async () => {
    await using all = await bench()
    const [message] = (await all.messages([await all.file(20)])) as [Outgoing]
    const { read, arrivals } = await counted([
      altered(message, () => ({ pipeline: 'another' })),
      { ...message, attempt: 21 } as Outgoing,
    ])
    for await (const [arrived] of arrivals) expect(arrived).not.toHaveProperty('fault')
    expect(read).toEqual([])
  })

  it('so that two thousand of half a MiB at once take no more memory than some', async () => {
    await using all = await bench()
    await writeFile(
      all.at('wide.csv'),
      `id,note\n${Array.from({ length: 10 }, (_, id) => `${id},${'x'.repeat(52_000)}\n`).join('')}`,
    )
    const [message] = (await all.messages([all.at('wide.csv')], { chunkBytes: 2_000_000 })) as [Outgoing]
    const deliveries = Array.from({ length: 2_000 }, (_, chunk): Delivery => {
      const { key, body, headers } = altered(message, () => ({ chunk }))
      return { key: `${key}${chunk}`, body, headers, attempt: 1, settle: async () => undefined }
    })
    const queue = wrapQueue(all.queue, untouched, {
      deliveries: async function* () {
        yield deliveries
        yield []
      },
    })
    let most = 0
    const sink = wrapSink(all.sink, untouched, {
      write: async ({ parts }) => {
        most = Math.max(most, process.memoryUsage().arrayBuffers)
        return parts.map(({ records }) => ({ kind: 'applied', loaded: records, rejected: 0, skipped: 0 }))
      },
    })
    const before = process.memoryUsage().arrayBuffers
    expect(await all.consume({ queue, sink, prefetch: 2_000 })).toMatchObject({
      loaded: 20_000,
      deadMessages: 0,
    })
    expect((most - before) / 1024 / 1024).toBeLessThan(300)
  })
})
