/** What a role, a database or a table of PostgreSQL prefers, and what becomes of the values all the same. */
import { expect, it } from 'vitest'
import { bigint, custom, integer, text } from '../../src/model/columns.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { applied, type Texts, write } from '../contract/sink/target.ts'
import { openPostgres } from './postgres-target.ts'

const preferences = {
  DateStyle: 'German, DMY',
  TimeZone: 'Asia/Tokyo',
  timezone_abbreviations: 'India',
  IntervalStyle: 'sql_standard',
  array_nulls: 'off',
  xmloption: 'document',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  extra_float_digits: '-15',
}

/** Each value has two meanings, or one and none, under other preferences. */
const values = defineModel({
  table: 'items',
  columns: {
    day: custom('date'),
    at: custom('timestamptz'),
    abbreviated: custom('timestamptz'),
    span: custom('interval'),
    list: custom('text[]'),
    note: text().default('a\\tb'),
  },
})
const record: Texts = [
  '01/02/2026',
  '03/04/2026 05:06',
  '2026-01-02 03:04 IST',
  '-1 2:03:04',
  '{NULL,x}',
  'x',
]

async function stored(prefers: Readonly<Record<string, string>>) {
  await using target = await openPostgres()
  for (const [name, value] of Object.entries(prefers))
    await target.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ${name} = ${value.includes(',') ? value : `''${value}''`}', current_database()); END $$`,
    )
  await using sink = target.open()
  await sink.prepare(values)
  expect(await write(sink, values, [{ key: 'a\\', records: [record] }])).toEqual([applied(1)])
  return await target.query(`SELECT to_char(day, 'YYYY-MM-DD') AS day, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS at,
      to_char(abbreviated AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS abbreviated, extract(epoch FROM span)::float8 AS seconds, list,
      (SELECT column_default FROM information_schema.columns WHERE table_name = 'items' AND column_name = 'note') AS note FROM items`)
}

describePostgres('PostgreSQL, settings and identity columns', () => {
  it('a text means the same whatever the database prefers for dates, zones, intervals and arrays', async () => {
    const plain = await stored({})
    expect(plain).toMatchObject([{ day: '2026-01-02', at: '2026-03-04 05:06', list: [null, 'x'] }])
    expect(await stored(preferences)).toEqual(plain)
  })

  it.for(['error', 'skip', 'update'] as const)(
    'a key GENERATED ALWAYS AS IDENTITY takes the values of the file: %s',
    async (onConflict) => {
      await using target = await openPostgres()
      await target.query('CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)')
      await using sink = target.open()
      const model = defineModel({
        table: 'items',
        columns: { id: bigint().notNull(), note: text() },
        primaryKey: ['id'],
        onConflict,
      })
      await sink.prepare(model)
      expect(await write(sink, model, [{ key: 'a', records: [['7', 'first']] }])).toEqual([applied(1)])
      const again = await write(sink, model, [
        {
          key: 'b',
          records: [
            ['7', 'second'],
            ['9', 'new'],
          ],
        },
      ])
      const expected = { error: applied(1, 1), skip: applied(1, 0, 1), update: applied(2) }
      expect(again).toEqual([expected[onConflict]])
      expect(await target.query('SELECT id::int, note FROM items ORDER BY id')).toEqual([
        { id: 7, note: onConflict === 'update' ? 'second' : 'first' },
        { id: 9, note: 'new' },
      ])
    },
  )

  it('an identity column outside the key goes with inserts, and what PostgreSQL cannot do is refused by name', async () => {
    await using target = await openPostgres()
    await target.query(
      `CREATE TABLE items (id integer PRIMARY KEY, seq integer GENERATED ALWAYS AS IDENTITY, twice integer GENERATED ALWAYS AS (id * 2) STORED)`,
    )
    await using sink = target.open()
    const of = (more: Pick<Parameters<typeof defineModel>[0], 'onConflict'>, extra = {}): Model =>
      defineModel({
        table: 'items',
        columns: { id: integer().notNull(), seq: integer(), ...extra },
        primaryKey: ['id'],
        ...more,
      })
    const skip = of({ onConflict: 'skip' })
    await sink.prepare(skip)
    expect(await write(sink, skip, [{ key: 'a', records: [['1', '70']] }])).toEqual([applied(1)])
    await expect(sink.prepare(of({ onConflict: 'update' }))).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('column seq'),
    })
    await expect(sink.prepare(of({ onConflict: 'error' }, { twice: integer() }))).rejects.toMatchObject({
      message: expect.stringContaining('column twice is computed'),
    })
  })
})
