/** Files that grow: what is added to them is loaded once, whatever they are cut into. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { defineModel, integer, load, openQueue, openSink, text } from '../../src/index.ts'

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
