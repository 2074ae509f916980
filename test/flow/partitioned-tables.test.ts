/** Tables of PostgreSQL that are partitioned by time: rows go through the parent, and the partitions decide. */
import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import {
  defineModel,
  doublePrecision,
  load,
  type LoadOptions,
  type LoadResult,
  type Model,
  openQueue,
  openSink,
  rejectPages,
  replayRejects,
  type Sink,
  text,
  timestamptz,
} from 'lading'
import { replaceRows } from '../../src/load/replace.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { openPostgres, type PostgresTarget } from '../sink/postgres-target.ts'
import { Folder } from '../cli/run.ts'

/** March and April, with indexes of the parent. */
const readings = `
  CREATE TABLE readings (at timestamptz NOT NULL, sensor text NOT NULL, value double precision, PRIMARY KEY (sensor, at)) PARTITION BY RANGE (at);
  CREATE INDEX readings_at ON readings USING brin (at); CREATE INDEX readings_sensor ON readings (sensor);
  CREATE TABLE readings_march PARTITION OF readings FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');
  CREATE TABLE readings_april PARTITION OF readings FOR VALUES FROM ('2026-04-01Z') TO ('2026-05-01Z');`

const may = `CREATE TABLE readings_may PARTITION OF readings FOR VALUES FROM ('2026-05-01Z') TO ('2026-06-01Z')`

const modelOf = (
  onConflict: Model['onConflict'] = 'error',
  primaryKey: readonly ('at' | 'sensor')[] = ['sensor', 'at'],
): Model =>
  defineModel({
    table: 'readings',
    columns: {
      at: timestamptz().notNull(),
      sensor: text().notNull(),
      value: doublePrecision(),
    },
    primaryKey,
    onConflict,
  })

const records = (...lines: readonly string[]): string => ['at,sensor,value', ...lines, ''].join('\n')

/** `how`: adds the records to those of the table, or replaces these. */
async function loadText(
  sink: Sink,
  folder: Folder,
  csv: string,
  model: Model,
  how: (options: LoadOptions) => Promise<LoadResult> = load,
) {
  await using queue = await openQueue('memory:')
  await writeFile(folder.at('readings.csv'), csv)
  return await how({
    paths: [folder.at('readings.csv')],
    sink,
    queue,
    model,
    statePath: folder.at('producer.db'),
  })
}

const kept = (target: PostgresTarget) =>
  target.query(
    'SELECT tableoid::regclass::text AS partition, sensor, value FROM readings ORDER BY at, sensor',
  )

const indexes = async (target: PostgresTarget): Promise<number> =>
  (await target.query("SELECT FROM pg_indexes WHERE tablename LIKE 'readings%'")).length

describePostgres('a table partitioned by time', () => {
  it('takes each record into its partition, and one without a partition is a reject with its line, which loads when the partition is there', async () => {
    await using target = await openPostgres()
    await using folder = await Folder.make({})
    await target.query(readings)
    await using sink = await openSink(target.url)
    const model = modelOf()
    const lines = records('2026-03-31T23:59:59Z,a,1', '2026-05-01T00:00:00Z,a,2', '2026-04-01T00:00:00Z,a,3')
    const { receipts } = await loadText(sink, folder, lines, model)
    expect(receipts).toMatchObject([{ records: 3, loaded: 2, rejected: 1 }])
    expect(await kept(target)).toEqual([
      { partition: 'readings_march', sensor: 'a', value: 1 },
      { partition: 'readings_april', sensor: 'a', value: 3 },
    ])
    expect(await sink.ledger.rejects({ limit: 10 })).toMatchObject([
      { line: 3, code: 'CONSTRAINT_CHECK', detail: expect.stringMatching(/no partition/) },
    ])
    expect(await indexes(target), 'none was taken away').toBe(9)
    await target.query(may)
    for await (const page of rejectPages(sink.ledger, {})) await replayRejects(page, { sink, model })
    expect((await kept(target)).map(({ partition }) => partition)).toEqual([
      'readings_march',
      'readings_april',
      'readings_may',
    ])
    expect(await sink.ledger.receipts({})).toMatchObject([{ loaded: 3, rejected: 0 }])
  })

  it.for([
    ['error', 10, 1],
    ['skip', 10, 0],
    ['update', 20, 0],
    ['merge', 20, 0],
  ] as const)(
    'with a key that has the time in it, %s does what it says',
    async ([onConflict, value, refused]) => {
      await using target = await openPostgres()
      await using folder = await Folder.make({})
      await target.query(readings)
      await using sink = await openSink(target.url)
      const model = modelOf(onConflict)
      await loadText(sink, folder, records('2026-03-15T00:00:00Z,a,10'), model)
      const lines = records(
        '2026-03-15T00:00:00Z,a,20',
        '2026-04-15T00:00:00Z,a,30',
        '2026-05-15T00:00:00Z,a,40',
      )
      const { receipts } = await loadText(sink, folder, lines, model)
      expect(receipts).toMatchObject([{ records: 3, rejected: refused + 1 }])
      expect(await kept(target)).toEqual([
        { partition: 'readings_march', sensor: 'a', value },
        { partition: 'readings_april', sensor: 'a', value: 30 },
      ])
      const rejects = await sink.ledger.rejects({ limit: 10 })
      expect(rejects.at(-1)).toMatchObject({ line: 4, code: 'CONSTRAINT_CHECK' })
    },
  )

  it('a key without the time is refused before anything is written, because no unique index can be on it', async () => {
    await using target = await openPostgres()
    await target.query(readings)
    await expect(target.query('CREATE UNIQUE INDEX ON readings (sensor)')).rejects.toThrow(/partition/)
    await using sink = await openSink(target.url)
    const model = modelOf('update', ['sensor'])
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('needs a unique index on exactly ("sensor")'),
    })
  })

  it('rows that replace others go into their partitions, and all old rows stay where one has no partition', async () => {
    await using target = await openPostgres()
    await using folder = await Folder.make({})
    await target.query(readings)
    await using sink = await openSink(target.url)
    const model = modelOf()
    const replace = (...lines: readonly string[]) =>
      loadText(sink, folder, records(...lines), model, replaceRows)
    await replace('2026-03-15T00:00:00Z,a,1', '2026-04-15T00:00:00Z,a,2')
    await replace('2026-04-16T00:00:00Z,b,3')
    const rows = [{ partition: 'readings_april', sensor: 'b', value: 3 }]
    expect(await kept(target)).toEqual(rows)
    await expect(replace('2026-04-16T00:00:00Z,c,4', '2026-05-16T00:00:00Z,c,5')).rejects.toMatchObject({
      code: 'REPLACE_REFUSED',
      message: expect.stringMatching(/no partition/),
    })
    expect(await kept(target)).toEqual(rows)
  })
})
