/** Files that grow: what is added to them is loaded once, whatever they are cut into. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import {
  createConsumer,
  defineModel,
  integer,
  LadingError,
  load,
  openQueue,
  openSink,
  produce,
  text,
} from '../../src/index.ts'
import { wrapSink } from '../support/wrappers.ts'

const model = defineModel({ table: 'lines', columns: { id: integer().notNull(), note: text() } })

class Growing implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<Growing> {
    return new Growing(await mkdtemp(join(tmpdir(), 'lading-append-')))
  }

  async load(database: string, name: string, options: object = {}) {
    await using queue = await openQueue('memory:')
    await using sink = await openSink(`sqlite:${join(this.folder, database)}`)
    const statePath = join(this.folder, `${database}.state`)
    return await load({
      paths: [join(this.folder, name)],
      model,
      queue,
      sink,
      statePath,
      chunkBytes: 30,
      ...options,
    })
  }

  write(name: string, content: Uint8Array | string): Promise<void> {
    return writeFile(join(this.folder, name), content)
  }

  /** The rows, the rejects with their places, and how many records the receipts count. */
  stored(database: string): Record<string, unknown> {
    using file = new SqliteFile(join(this.folder, database))
    return {
      rows: file.all('SELECT id, note FROM lines ORDER BY rowid'),
      rejects: file.all('SELECT record, line, byte, code, detail, raw FROM lading_reject ORDER BY byte'),
      ...file.get<Record<string, unknown>>(
        'SELECT sum(records) AS records, sum(loaded) AS loaded, sum(rejected) AS rejected FROM lading_load',
      ),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true })
  }
}

const cell = fc.array(fc.constantFrom('a', 'é', '€', '😀', ',', '""', '\n', '\r\n', '\r', ' '), {
  maxLength: 6,
})
const lineEnd = fc.constantFrom('\n', '\r\n')
const record = fc
  .tuple(fc.oneof(fc.nat().map(String), fc.constant('x')), cell, lineEnd, fc.boolean())
  .map(([id, cells, end, isBare]) =>
    isBare
      ? `${id},${cells.filter((each) => /^[aé€😀 ]$/u.test(each)).join('')}${end}`
      : `${id},"${cells.join('')}"${end}`,
  )
const csv = fc
  .tuple(fc.constantFrom('id,note\n', '\ufeffid,note\r\n'), fc.array(record, { maxLength: 8 }))
  .map(([head, records]) => head + records.join(''))
const ndjson = fc
  .array(
    fc
      .tuple(fc.oneof(fc.nat(), fc.constant('x')), cell, lineEnd)
      .map(([id, cells, end]) => JSON.stringify({ id, note: cells.join('') }) + end),
    { maxLength: 8 },
  )
  .map((records) => records.join(''))

it.each([
  ['CSV', 'log.csv', csv],
  ['NDJSON', 'log.ndjson', ndjson],
] as const)(
  '%s that is added to piece by piece, cut anywhere, gives the rows and rejects of the whole file once, in their places',
  { timeout: 120_000 },
  async (_, name, content) => {
    const property = fc.asyncProperty(
      content,
      fc.boolean(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      async (whole, hasEnd, cuts) => {
        await using growing = await Growing.open()
        const bytes = Buffer.from(hasEnd ? whole : whole.replace(/\r?\n$/, ''))
        for (const cut of cuts.toSorted((a, b) => a - b)) {
          await growing.write(name, bytes.subarray(0, Math.floor(cut * bytes.length)))
          await growing.load('parts.db', name, { append: true })
        }
        await growing.write(name, bytes)
        await growing.load('parts.db', name, { append: true })
        await growing.load('parts.db', name, { append: true, ended: true })
        await growing.load('whole.db', name)
        const [parts, once] = [growing.stored('parts.db'), growing.stored('whole.db')]
        // Nothing is said of a file without a record.
        expect({
          ...parts,
          records: parts['records'] ?? 0,
          loaded: parts['loaded'] ?? 0,
          rejected: parts['rejected'] ?? 0,
        }).toEqual(once)
        // Whoever loads the whole file now hears that it is loaded.
        if (once['records'] !== 0) expect((await growing.load('parts.db', name)).loadedNow).toBe(0)
      },
    )
    await fc.assert(property, { numRuns: 20 })
  },
)

it('what an earlier run published of a file before it grew is loaded once, and what was added behind it', async () => {
  await using growing = await Growing.open()
  await growing.write('log.csv', 'id,note\n1,a\n2,b\n')
  const statePath = join(growing.folder, 'lines.db.state')
  await using queue = await openQueue('memory:')
  const paths = [join(growing.folder, 'log.csv')]
  await using sink = await openSink(`sqlite:${join(growing.folder, 'lines.db')}`)
  await produce({ paths, model, queue, statePath, chunkBytes: 30, target: sink.place })
  await growing.write('log.csv', 'id,note\n1,a\n2,b\n3,c\n')
  const { loadedNow } = await growing.load('lines.db', 'log.csv', { append: true, queue })
  expect(loadedNow).toBe(3)
  // What is still in the queue of it is no other load.
  await createConsumer({ queue, sink, model }).run({ untilEmpty: true })
  expect(growing.stored('lines.db')).toMatchObject({ records: 3, loaded: 3 })
})

it('a part that another machine began and did not load is planned again, from where it begins', async () => {
  await using growing = await Growing.open()
  await growing.write('log.csv', 'id,note\n1,a\n2,b\n')
  await growing.load('lines.db', 'log.csv', { append: true })
  await growing.write('log.csv', 'id,note\n1,a\n2,b\n3,c\n4,d\n')
  await using sink = await openSink(`sqlite:${join(growing.folder, 'lines.db')}`)
  const failing = wrapSink(
    sink,
    async (method, real) => {
      if (method === 'write') throw new LadingError('LEDGER_NEWER', 'says the test')
      return real()
    },
    { ledger: sink.ledger },
  )
  const began = growing.load('lines.db', 'log.csv', { append: true, sink: failing })
  await expect(began).rejects.toMatchObject({ code: 'LEDGER_NEWER' })
  const statePath = join(growing.folder, 'another.state')
  const { loadedNow } = await growing.load('lines.db', 'log.csv', { append: true, statePath })
  expect(loadedNow).toBe(2)
  expect(growing.stored('lines.db')).toMatchObject({ records: 4, loaded: 4 })
})

it('a file that does not fit is refused, and is loaded once it does', async () => {
  await using growing = await Growing.open()
  await growing.write('log.csv', 'other\n1\n')
  const refused = growing.load('lines.db', 'log.csv', { append: true })
  await expect(refused).rejects.toMatchObject({ code: 'HEADER_MISMATCH' })
  await growing.write('log.csv', `id,note\n${'1,a\n'.repeat(1 << 20)}2,${'x'.repeat(17 << 20)}\n`)
  const large = growing.load('lines.db', 'log.csv', { append: true })
  await expect(large).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
  await growing.write('log.csv', 'id,note\n1,a\n')
  expect((await growing.load('lines.db', 'log.csv', { append: true })).loadedNow).toBe(1)
})

it('of what was loaded, the bytes that are others now are told as closely as the plans here tell', async () => {
  await using growing = await Growing.open()
  await using queue = await openQueue('memory:')
  const lines = Array.from({ length: 12 }, (_, id) => `${id},note ${id}\n`)
  const write = () => growing.write('log.csv', `id,note\n${lines.join('')}`)
  await write()
  await growing.load('lines.db', 'log.csv', { append: true, queue })
  lines.push('12,added\n')
  await write()
  await growing.load('lines.db', 'log.csv', { append: true, queue })
  lines[5] = '5,n0te 5\n'
  await write()
  const place = `id,note\n${lines.slice(0, 5).join('')}`.length
  const refused: unknown = await growing
    .load('lines.db', 'log.csv', { append: true, queue })
    .catch((error) => error)
  expect(refused).toMatchObject({ code: 'SOURCE_DIFFERS' })
  const [, from, to] =
    /bytes (\d+) to (\d+) of the \d+ that were loaded/.exec((refused as Error).message) ?? []
  expect(Number(from)).toBeLessThanOrEqual(place)
  expect(Number(from)).toBeGreaterThan(place - 40)
  expect(Number(to)).toBeGreaterThan(place)
  expect(Number(to)).toBeLessThan(place + 40)
})

it('how a large file is written is told by its lines that have an end', async () => {
  await using growing = await Growing.open()
  const lines = Array.from({ length: 30_000 }, (_, id) => `${id};note ${id}\n`).join('')
  await growing.write('log.csv', `id;note\n${lines}30000;"not yet`)
  const options = { append: true, model: undefined, table: { table: 'lines' }, chunkBytes: 1 << 20 }
  const { loadedNow } = await growing.load('lines.db', 'log.csv', options)
  expect(loadedNow).toBe(30_000)
})

it.each([
  [{ paths: ['-'] }, 'standard input cannot be read again'],
  [{ again: true }, 'neither again nor fresh'],
  [{ fresh: true }, 'neither again nor fresh'],
  [{ deferIndexes: 'always' }, 'which deferred indexes may need'],
])('what grows cannot be loaded with %j', async (options, why) => {
  await using growing = await Growing.open()
  await growing.write('log.csv', 'id,note\n1,a\n')
  await expect(growing.load('lines.db', 'log.csv', { append: true, ...options })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(why),
  })
})
