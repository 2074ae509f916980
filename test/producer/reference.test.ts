import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ProduceOptions } from '../../src/producer/options.ts'
import { produce } from '../../src/producer/produce.ts'
import { republishMissing } from '../../src/producer/republish.ts'
import { maxReferenceBytes } from '../../src/core/load.ts'
import type { ChunkEnvelope } from '../../src/queue/envelope.ts'
import type { Peeked, Queue } from '../../src/queue/queue.ts'
import { Fixture } from '../support/fixture.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

const refer = (
  fixture: Fixture,
  queue: Queue,
  paths: readonly string[],
  more: Partial<ProduceOptions> = {},
) =>
  produce(
    fixture.producing(queue, paths, {
      carry: 'reference',
      root: fixture.folder,
      chunkBytes: 1_000,
      ...more,
    }),
  )

const waiting = (queue: Queue): Promise<readonly Peeked[]> => queue.peek(100_000)
const envelopeOf = ({ headers }: Peeked) =>
  JSON.parse(headers['lading'] as string) as ChunkEnvelope & { readonly v: number }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a reference', () => {
  it('holds the path below the root and the range, and no byte of the file', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    await mkdir(join(fixture.folder, 'in/may'), { recursive: true })
    const path = await fixture.file(500, 'in/may/a.csv')
    const [load] = await refer(fixture, queue, [join(fixture.folder, 'in')], {
      root: join(fixture.folder, 'in'),
    })
    const messages = await waiting(queue)
    expect(messages.length).toBe(load?.chunks)
    expect(messages.length).toBeGreaterThan(5)
    const file = await readFile(path)
    for (const message of messages) {
      const { v, reference, byteStart, sha256: stated } = envelopeOf(message)
      expect({ v, bytes: message.body.length, path: reference?.path }).toEqual({
        v: 2,
        bytes: 0,
        path: 'may/a.csv',
      })
      expect(sha256(file.subarray(byteStart, byteStart + (reference?.bytes ?? 0)))).toBe(stated)
      expect(JSON.stringify(message.headers)).not.toContain('note of')
    }
  })

  it('names the file itself and not the link that led to it, so that the link may change', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(5, 'a.csv')
    await symlink(path, join(fixture.folder, 'link.csv'))
    await refer(fixture, queue, [join(fixture.folder, 'link.csv')])
    expect((await waiting(queue)).map((each) => envelopeOf(each).reference?.path)).toEqual(['a.csv'])
  })

  it('counts in the queue with the bytes that it stands for, so that one consumer does not take them all', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = join(fixture.folder, 'wide.csv')
    await writeFile(
      path,
      `id,note\n${Array.from({ length: 400 }, (_, id) => `${id},${'x'.repeat(100_000)}\n`).join('')}`,
    )
    await refer(fixture, queue, [path], { chunkBytes: 1024 * 1024 })
    for await (const deliveries of queue.deliveries({ prefetch: 2_000 })) {
      expect(deliveries.length).toBeGreaterThan(10)
      expect(deliveries.length).toBeLessThan(20)
      break
    }
  })
})

describe('travels as bytes even so', () => {
  it('a compressed file, standard input, a chunk without a byte, and a name that is another one elsewhere', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const at = (name: string) => join(fixture.folder, name)
    await writeFile(at('a.csv.gz'), gzipSync('id,note\n1,packed\n'))
    await writeFile(at('empty.csv'), 'id,note\n')
    await writeFile(at('back\\slash.csv'), 'id,note\n2,odd\n')
    const stdin = (async function* () {
      yield Buffer.from('id,note\n3,piped\n')
    })()
    await refer(fixture, queue, [at('a.csv.gz'), at('empty.csv'), at('back\\slash.csv'), '-'], { stdin })
    const messages = await waiting(queue)
    expect(messages.map((each) => `${envelopeOf(each).v} ${envelopeOf(each).reference}`)).toEqual(
      Array<string>(4).fill('1 undefined'),
    )
    expect(messages.map(({ body }) => Buffer.from(body).toString()).toSorted()).toEqual([
      '',
      '1,packed\n',
      '2,odd\n',
      '3,piped\n',
    ])
  })
})

describe('nothing is published', () => {
  it.each([
    [
      'by name',
      (fixture: Fixture, outside: string) => Promise.resolve([join(fixture.folder, 'in/good.csv'), outside]),
    ],
    [
      'through a link',
      async (fixture: Fixture, outside: string) => {
        await symlink(outside, join(fixture.folder, 'in/z.csv'))
        return [join(fixture.folder, 'in')]
      },
    ],
  ])('where a file lies outside the root %s, and the way to say so is named', async (_, paths) => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    await mkdir(join(fixture.folder, 'in'))
    await fixture.file(5, 'in/good.csv')
    const outside = await fixture.file(5, 'outside.csv')
    const refused = refer(fixture, queue, await paths(fixture, outside), {
      root: join(fixture.folder, 'in'),
    })
    await expect(refused).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('--root') })
    expect(await waiting(queue)).toEqual([])
  })

  it('where the root is no folder', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = await fixture.file(5, 'a.csv')
    for (const root of [path, join(fixture.folder, 'nowhere')]) {
      await expect(refer(fixture, queue, [path], { root })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }
  })

  it('where a chunk is larger than a reference may be', async () => {
    await using fixture = await Fixture.open()
    const queue = await fixture.queue()
    const path = join(fixture.folder, 'large.csv')
    await writeFile(path, 'id,note\n')
    for (let written = 0; written <= maxReferenceBytes; written += 10_000_000)
      await appendFile(path, `1,${'x'.repeat(9_999_997)}\n`)
    const refused = refer(fixture, queue, [path], { chunkBytes: 2 * maxReferenceBytes })
    await expect(refused).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect(await waiting(queue)).toEqual([])
  })
})

it('a file that changes while it is published as references ends with SOURCE_CHANGED', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const path = await fixture.file(60_000)
  let windows = 0
  const changing = wrapQueue(queue, untouched, {
    publish: async (...args) => {
      await queue.publish(...args)
      if (++windows === 1) await appendFile(path, '999999,late\n')
    },
  })
  await expect(refer(fixture, changing, [path])).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
})

it('what is published again travels as that command says, whatever travelled before', async () => {
  await using fixture = await Fixture.open()
  const queue = await fixture.queue()
  const path = await fixture.file(100, 'a.csv')
  const [load] = await refer(fixture, queue, [path])
  const again = {
    loadId: load?.loadId ?? '',
    queue,
    statePath: join(fixture.folder, 'producer.db'),
    known: undefined,
    place: 'anywhere',
  }
  const chunks = load?.chunks ?? 0
  expect(await republishMissing(again)).toBe(chunks)
  expect(await republishMissing({ ...again, carry: 'reference', root: fixture.folder })).toBe(chunks)
  const versions = (await waiting(queue)).map((each) => envelopeOf(each).v)
  expect(versions).toEqual([
    ...Array<number>(chunks).fill(2),
    ...Array<number>(chunks).fill(1),
    ...Array<number>(chunks).fill(2),
  ])
  await rename(path, join(fixture.folder, 'b.csv'))
  await expect(
    republishMissing({ ...again, carry: 'reference', root: fixture.folder }),
  ).rejects.toMatchObject({ code: 'SOURCE_MISSING' })
})
