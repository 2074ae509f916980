/** What every format of files promises, as a function over them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { balance, defineModel, exportRejects, integer, text } from '../../src/index.ts'
import { load } from '../../src/load/load.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { editReject, replayRejects } from '../../src/review/rejects.ts'
import type { Ledger, StoredReject } from '../../src/sink/ledger.ts'
import { openSink } from '../../src/sink/registry.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { query, Fixture } from '../support/fixture.ts'
import { EventCounts, RestartedProcess } from '../support/restarted-process.ts'

type Values = Readonly<Record<string, number | string>>

export interface FileFormat {
  readonly suffix: string
  readonly record: (values: Values) => string
  readonly file: (fields: readonly string[], records: readonly string[]) => string
  /** Lines before the first record. */
  readonly headLines: number
  /** A record that cannot be read as one, and its code. */
  readonly damaged: string
  readonly damagedCode: string
  /** How the text `x7` stands in a record. */
  readonly marked: string
}

const lines = defineModel({
  table: 'lines',
  columns: { id: integer().notNull(), note: text().notNull() },
})

const count = 300
const badAt = 7
const damagedAt = 150
const noteOf = (id: number) => `note ☃ of ${id}`

/** Of records numbered from 1: one with a bad value, and one that is damaged. */
function fileOf({ record, file, damaged }: FileFormat): string {
  const records = Array.from({ length: count }, (_, index) => {
    const id = index + 1
    if (id === damagedAt) return damaged
    return record({ id: id === badAt ? `x${id}` : id, note: noteOf(id) })
  })
  return file(['id', 'note'], records)
}

const sound = Array.from({ length: count }, (_, index) => index + 1).filter(
  (id) => id !== badAt && id !== damagedAt,
)

async function opened(format: FileFormat, kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const root = join(fixture.folder, 'in')
  await mkdir(root)
  const path = join(root, `x.${format.suffix}`)
  await writeFile(path, fileOf(format))
  /** Into the target, or a database of its own. */
  const loading = async (
    paths: readonly string[],
    { name = '', ...more }: { name?: string; carry?: 'reference' } = {},
  ) => {
    const url = name === '' ? fixture.target.url : `sqlite:${join(fixture.folder, `${name}.db`)}`
    await using queue = await openQueue(`embedded:${join(fixture.folder, `queue${name}.db`)}`)
    await using sink = await openSink(url)
    const statePath = join(fixture.folder, `state${name}.db`)
    const done = await load({ paths, model: lines, queue, sink, statePath, chunkBytes: 1_000, root, ...more })
    return { ...done, ...(await stored(url, sink.ledger)) }
  }
  return { fixture, root, path, loading, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

async function stored(url: string, ledger: Ledger) {
  const rejects = await ledger.rejects({ limit: 100 })
  const sql = 'SELECT id, note FROM lines ORDER BY id'
  if (!url.startsWith('sqlite:')) return { rows: await query(url, sql), rejects }
  using file = new SqliteFile(url.slice('sqlite:'.length))
  return { rows: file.all<object>(sql).map((row) => ({ ...row })), rejects }
}

const rowsOf = (ids: readonly number[]) => ids.map((id) => ({ id, note: noteOf(id) }))

const placeOf = ({ record, line, column, code, raw, span }: StoredReject) => ({
  record,
  line,
  column,
  code,
  marked: span && Buffer.from(raw).toString('utf8', span.start, span.end),
})

/** Where rejects are exported to; they make one file here. */
async function exportedTo(
  folder: string,
  { suffix }: FileFormat,
  rejects: readonly StoredReject[],
): Promise<string> {
  const path = join(folder, `x.${suffix === 'json' ? 'ndjson' : suffix}`)
  const pages = (async function* () {
    yield rejects
  })()
  for await (const { bytes } of exportRejects(pages)) await writeFile(path, bytes)
  return path
}

const sequenceFile = ({ record, file }: FileFormat, length: number): string =>
  file(
    ['family', 'n'],
    Array.from({ length }, (_, index) => record({ family: 'one', n: index + 1 })),
  )

export function describeLoad(format: FileFormat, kind: 'sqlite' | 'postgres'): void {
  it(`gives the known rows in ${kind}, each bad record with line and column, and nothing the second time`, async () => {
    await using at = await opened(format, kind)
    const first = await at.loading([at.path])
    expect(first.rows).toEqual(rowsOf(sound))
    expect(
      first.receipts.map((receipt) => [receipt.source, receipt.loaded, receipt.rejected, balance(receipt)]),
    ).toEqual([[`x.${format.suffix}`, sound.length, 2, { open: 0, problems: [] }]])
    expect(first.receipts[0]?.chunks).toBeGreaterThan(5)
    expect(first.rejects.map(placeOf)).toEqual([
      {
        record: badAt,
        line: badAt + format.headLines,
        column: 'id',
        code: 'BAD_INTEGER',
        marked: format.marked,
      },
      expect.objectContaining({
        record: damagedAt,
        line: damagedAt + format.headLines,
        code: format.damagedCode,
      }),
    ])
    const source = Buffer.from(fileOf(format))
    for (const { byte, raw } of first.rejects)
      expect(source.subarray(byte as number, (byte as number) + raw.length)).toEqual(Buffer.from(raw))
    const second = await at.loading([at.path])
    expect([second.loadedNow, second.rows.length]).toEqual([0, sound.length])
  })
}

export function describeFormat(format: FileFormat): void {
  const { suffix } = format
  describe(`*.${suffix}`, () => {
    describeLoad(format, 'sqlite')

    it('a rejected record is edited, replayed and then loaded once', async () => {
      await using at = await opened(format)
      await at.loading([at.path])
      await using sink = await openSink(at.fixture.target.url)
      const rejects = await sink.ledger.rejects({ limit: 10 })
      for (const [index, id] of [badAt, damagedAt].entries())
        await editReject(
          rejects[index] as StoredReject,
          Buffer.from(format.record({ id, note: noteOf(id) })),
          { sink, model: lines },
        )
      const edited = await sink.ledger.rejects({ limit: 10 })
      for (const _ of ['now', 'and again']) await replayRejects(edited, { sink, model: lines })
      expect((await stored(at.fixture.target.url, sink.ledger)).rows).toEqual(
        rowsOf([...sound, badAt, damagedAt].sort((a, b) => a - b)),
      )
      expect(await sink.ledger.receipts({})).toMatchObject([{ loaded: count, openRejects: 0 }])
    })

    it('exported rejects are a file of the same format, which loads when it is corrected', async () => {
      await using at = await opened(format)
      await at.loading([at.path])
      await using sink = await openSink(at.fixture.target.url)
      const out = join(at.fixture.folder, 'out')
      await mkdir(out)
      const rejects = (await sink.ledger.rejects({ limit: 10 })).slice(0, 1)
      const exported = await exportedTo(out, format, rejects)
      await writeFile(exported, (await readFile(exported, 'utf8')).replace(`x${badAt}`, `${badAt}`))
      const { rows } = await at.loading([exported], { name: 'corrected' })
      expect(rows).toEqual(rowsOf([badAt]))
    })

    it('what travels by reference, or compressed, becomes the same rows, rejects and receipts', async () => {
      await using at = await opened(format)
      const plain = Buffer.from(fileOf(format))
      const [bytes, reference] = [
        await at.loading([at.path]),
        await at.loading([at.path], { name: 'reference', carry: 'reference' }),
      ]
      expect(reference.rows).toEqual(bytes.rows)
      expect(reference.rejects.map(placeOf)).toEqual(bytes.rejects.map(placeOf))
      for (const [packed, pack] of [
        ['gz', gzipSync],
        ['zst', zstdCompressSync],
      ] as const) {
        const path = join(at.root, `x.${suffix}.${packed}`)
        await writeFile(path, pack(plain))
        const { rows, rejects, receipts } = await at.loading([path], { name: packed, carry: 'reference' })
        expect(rows).toEqual(bytes.rows)
        expect(rejects.map(placeOf)).toEqual(bytes.rejects.map(placeOf))
        expect(receipts[0]?.plan).toBe(bytes.receipts[0]?.plan)
      }
    })

    it('a load whose producer and consumer are killed at work ends with every record once', async () => {
      await using fixture = await Fixture.open()
      const path = join(fixture.folder, `x.${suffix}`)
      await writeFile(path, sequenceFile(format, 30_000))
      const consumer = new RestartedProcess(
        'consumer.ts',
        ['sequence', `${fixture.queueUrl}?lease=1s`, fixture.target.url],
        new EventCounts().line,
      )
      const producer = new RestartedProcess('producer.ts', [
        path,
        fixture.queueUrl,
        join(fixture.folder, 'producer.db'),
        'sequence',
      ])
      try {
        for (const each of [producer, consumer]) await each.killAtWork()
        await producer.ended
        expect(producer.failure).toBeUndefined()
        await using sink = await openSink(fixture.target.url)
        await expect
          .poll(
            async () =>
              (await sink.ledger.receipts({})).map(({ loaded, chunks, chunksDone }) => [
                loaded,
                chunks - chunksDone,
              ]),
            { timeout: 40_000 },
          )
          .toEqual([[30_000, 0]])
      } finally {
        consumer.stop('SIGTERM')
      }
      await consumer.ended
      using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
      expect(
        file.get(
          'SELECT count(*) AS rows, count(DISTINCT n) AS numbers, min(n) AS least, max(n) AS most FROM sequence',
        ),
      ).toEqual({ rows: 30_000, numbers: 30_000, least: 1, most: 30_000 })
    })
  })
}
