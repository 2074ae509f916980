/** What a program gives to a load instead of files: a stream, or objects. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  bigint,
  defineModel,
  doublePrecision,
  integer,
  json,
  load,
  openQueue,
  openSink,
  text,
  timestamptz,
} from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { Fixture } from '../support/fixture.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text().from('Note') },
})

async function opened() {
  const fixture = await Fixture.open('sqlite')
  const queue = await openQueue('memory:')
  const sink = await openSink(fixture.target.url)
  return {
    folder: fixture.folder,
    target: { model, queue, sink, statePath: join(fixture.folder, 'state.db') },
    sink,
    rows: async (sql: string) => {
      using file = new SqliteFile(join(fixture.folder, 'target.db'))
      return file.all<Record<string, unknown>>(sql)
    },
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

/** JSON.stringify writes 0 for -0. */
const withoutSign = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

async function* numbered(count: number, end: () => unknown = () => undefined) {
  for (let id = 1; id <= count; id++) yield { id, Note: `note ${id}` }
  end()
}

it('records are loaded once, however often the program gives them, and its mistakes are rejects with their line', async () => {
  await using to = await opened()
  const records = async function* () {
    yield { id: 1, Note: 'a' }
    yield { id: 'x' }
    yield { id: 3, Other: 1 }
    yield { id: 4 }
  }
  const first = await load({ ...to.target, objects: records(), name: 'api' })
  expect(first.receipts).toMatchObject([{ source: 'api', records: 4, loaded: 2, rejected: 2 }])
  expect(await to.sink.ledger.rejects({ limit: 9 })).toMatchObject([
    { source: 'api', line: 2, code: 'BAD_INTEGER' },
    { source: 'api', line: 3, code: 'EXTRA_FIELD' },
  ])
  const again = await load({ ...to.target, objects: records(), name: 'api' })
  expect([again.loadedNow, again.receipts[0]?.loaded]).toEqual([0, 2])
  const other = await load({ ...to.target, objects: [{ id: 9 }], name: 'api' })
  expect(other.loadedNow).toBe(1)
  expect(await to.rows('SELECT id, note FROM items ORDER BY id')).toEqual([
    { id: 1, note: 'a' },
    { id: 4, note: null },
    { id: 9, note: null },
  ])
})

it('a stream is read as a file with its name would be, compressed or not', async () => {
  await using to = await opened()
  const path = join(to.folder, 'a.csv.gz')
  await writeFile(path, gzipSync('id,Note\n1,a\n2,b\n'))
  const one = await load({ ...to.target, stream: createReadStream(path), name: 'a.csv.gz' })
  expect(one.loadedNow).toBe(2)
  const texts = await load({ ...to.target, stream: ['id,No', 'te\n3,ü\n'], name: 'texts', format: 'csv' })
  expect(texts.loadedNow).toBe(1)
  const lines = await load({ ...to.target, stream: Readable.from(['{"id":4}\n']), name: 'x.ndjson' })
  expect(lines.loadedNow).toBe(1)
  const wrong = load({ ...to.target, stream: ['a,b\n'], name: 'wrong.csv' })
  await expect(wrong).rejects.toMatchObject({ message: expect.stringMatching(/^wrong\.csv:1: /) })
})

it('text may be given in pieces that end anywhere, also within a character', async () => {
  await using to = await opened()
  const note = 'a😀€\ud800b'
  const pieces = `id,Note\n1,${note}\n2,😀`.split('')
  await load({ ...to.target, stream: [...pieces, Buffer.from('é\n')], name: 'pieces.csv' })
  expect(await to.rows('SELECT note FROM items ORDER BY id')).toEqual([
    { note: 'a😀€\ufffdb' },
    { note: '😀é' },
  ])
})

it('a value that JSON does not have is no other one: an invalid date is refused, and -0 keeps its sign', async () => {
  await using to = await opened()
  const dated = defineModel({
    table: 'dated',
    columns: { id: integer(), at: timestamptz(), sign: text() },
  })
  const objects = [
    { id: 1, at: new Date(Number.NaN) },
    { id: 2, at: null },
    { id: 3, sign: -0 },
  ]
  const { receipts } = await load({ ...to.target, model: dated, objects: objects as never, name: 'api' })
  expect(receipts).toMatchObject([{ loaded: 2, rejected: 1 }])
  expect(await to.rows('SELECT id, sign FROM dated ORDER BY id')).toEqual([
    { id: 2, sign: null },
    { id: 3, sign: '-0' },
  ])
})

it('what breaks off ends the load as SOURCE_FAILED, and leaves nothing behind', async () => {
  await using to = await opened()
  const cause = new RangeError('secret of a record')
  const records = numbered(30_000, () => {
    throw cause
  })
  const failed = await load({ ...to.target, objects: records, name: 'api' }).catch((error: unknown) => error)
  expect(failed).toMatchObject({
    code: 'SOURCE_FAILED',
    message: 'api: the program that gives it threw RangeError after 30,000 pieces; nothing of it was loaded',
    cause,
  })
  expect(await readdir(join(to.folder, 'spool'))).toEqual([])
  expect(await to.rows('SELECT * FROM items')).toEqual([])
  expect(await to.sink.ledger.receipts({})).toEqual([])
  for (const record of [null, 1, [1]])
    await expect(load({ ...to.target, objects: [record as object], name: 'api' })).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
    })
})

it('a source that never gives anything is stopped by the signal, and told to end', async () => {
  await using to = await opened()
  const stop = new AbortController()
  let isToldToEnd = false
  const records: AsyncIterable<object> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        setImmediate(() => stop.abort())
        return new Promise(() => undefined)
      },
      return: async () => {
        isToldToEnd = true
        throw new Error('it cannot end')
      },
    }),
  }
  await expect(
    load({ ...to.target, objects: records, name: 'api', signal: stop.signal }),
  ).rejects.toMatchObject({
    code: 'ABORTED',
  })
  await expect.poll(() => isToldToEnd).toBe(true)
})

it('an object is asked for when those before it are in the file, so that a source of any length fits into memory', async () => {
  await using to = await opened()
  const spool = join(to.folder, 'spool')
  const bytesKept = () => Math.max(0, ...readdirSync(spool).map((name) => statSync(join(spool, name)).size))
  const note = 'x'.repeat(10_000)
  let furthest = 0
  const objects = function* () {
    for (let id = 1; id <= 2_000; id++) {
      yield { id, Note: note }
      furthest = Math.max(furthest, id * note.length - bytesKept())
    }
  }
  expect((await load({ ...to.target, objects: objects(), name: 'api' })).loadedNow).toBe(2_000)
  expect(furthest).toBeLessThan(512 * 1024)
})

it('half of a character at the end of a text is no character, and costs no other', async () => {
  await using to = await opened()
  await load({ ...to.target, stream: ['id,Note\n1,a\ud83d', ''], name: 'half.csv' })
  await load({ ...to.target, stream: ['id,Note\n2,b\ud83d'], name: 'end.csv' })
  expect(await to.rows('SELECT note FROM items ORDER BY id')).toEqual([
    { note: 'a\ufffd' },
    { note: 'b\ufffd' },
  ])
})

it('exactly one source is given, and it has a name', async () => {
  await using to = await opened()
  const wrong = [
    {},
    { paths: ['a'], objects: [], name: 'x' },
    { stream: [], objects: [], name: 'x' },
    { objects: [] },
    { stream: [], name: '' },
  ]
  for (const given of wrong)
    await expect(load({ ...to.target, ...given } as never)).rejects.toMatchObject({ code: 'USAGE' })
})

it('the types know the columns that have the names of their fields', async () => {
  await using to = await opened()
  // @ts-expect-error a boolean is no integer
  await load({ ...to.target, objects: [{ id: true }], name: 'a' })
  interface FromApi {
    id: number
    Note: string
  }
  const records: FromApi[] = [{ id: 1, Note: 'b' }]
  await load({ ...to.target, objects: records, name: 'b' })
})

it('every value arrives as it was given, or is refused', async () => {
  await using to = await opened()
  const columns = {
    n: integer().notNull(),
    big: bigint(),
    real: doublePrecision(),
    at: timestamptz(),
    any: json(),
    words: text(),
  }
  const values = defineModel({ table: 'given', columns })
  const record = fc.record({
    big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    real: fc.double(),
    at: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
    any: fc.jsonValue({ maxDepth: 2 }),
    words: fc.string({ unit: 'binary' }),
  })
  const records = fc.sample(record, { numRuns: 300, seed: 1 }).map((each, n) => ({ n, ...each }))
  const { receipts } = await load({ ...to.target, model: values, objects: records, name: 'all' })
  const isTaken = ({ real, words, any }: (typeof records)[number]) =>
    Number.isFinite(real) && !words.includes('\0') && !JSON.stringify(any).includes('\\u0000')
  const taken = records.filter(isTaken)
  expect(receipts).toMatchObject([{ loaded: taken.length, rejected: records.length - taken.length }])
  const rows = await to.rows(
    'SELECT n, CAST(big AS TEXT) big, real, "at", "any", words FROM given ORDER BY n',
  )
  expect(
    rows.map(({ n, big, real, at, any, words }) => ({
      n,
      big: BigInt(big as string),
      real,
      at: new Date(String(at)).getTime(),
      any: withoutSign(JSON.parse((any as string | null) ?? 'null')),
      words: words ?? '',
    })),
  ).toEqual(
    taken.map(({ n, big, real, at, any, words }) => ({
      n,
      big,
      // SQLite keeps no -0.
      real: real + 0,
      at: at.getTime(),
      any: withoutSign(any),
      words,
    })),
  )
})
