/**
 * Where the server puts something in the place of NULL without an error: the present time in a TIMESTAMP, and zero where an
 * UPDATE meets a table that has triggers.
 */
import { expect, it } from 'vitest'
import { integer, timestamptz } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { allRejects, applied, replay, type Texts, write } from '../contract/sink/target.ts'
import { openMysql } from './mysql-target.ts'

const at = '2024-01-01 00:00:00'
const given = `${at}Z`

interface Case {
  readonly onConflict: 'error' | 'update' | 'merge'
  readonly when: 'BEFORE INSERT' | 'BEFORE UPDATE'
  readonly records: readonly Texts[]
  readonly rows: readonly (readonly [id: number, n: number])[]
  readonly refused: readonly (readonly [record: number, column: string])[]
}

const cases: readonly Case[] = [
  {
    onConflict: 'update',
    when: 'BEFORE INSERT',
    records: [
      ['1', given, null],
      ['2', given, null],
      ['3', null, '3'],
      ['1', null, '5'],
    ],
    rows: [
      [1, 1],
      [2, 7],
    ],
    refused: [
      [0, 'n'],
      [2, 'at'],
      [3, 'at'],
    ],
  },
  {
    onConflict: 'update',
    when: 'BEFORE UPDATE',
    records: [
      ['1', given, null],
      ['1', given, '2'],
    ],
    rows: [[1, 2]],
    refused: [[0, 'n']],
  },
  {
    onConflict: 'merge',
    when: 'BEFORE INSERT',
    records: [
      ['1', undefined, null],
      ['1', null, '3'],
      ['2', given, undefined],
      ['3', undefined, '3'],
      ['1', undefined, '4'],
    ],
    rows: [
      [1, 4],
      [2, 7],
    ],
    refused: [
      [0, 'n'],
      [1, 'at'],
      [3, 'at'],
    ],
  },
]

describeMariadb('NULL in a column of MariaDB that takes none', () => {
  const open = async (when: Case['when'] = 'BEFORE INSERT') => {
    const target = await openMysql()
    await target.query('CREATE TABLE filled (id int PRIMARY KEY, at timestamp(6) NOT NULL, n int NOT NULL)')
    const does = when === 'BEFORE INSERT' ? 'NEW.n = coalesce(NEW.n, 7)' : '@seen = NEW.id'
    await target.query(`CREATE TRIGGER fill ${when} ON filled FOR EACH ROW SET ${does}`)
    return target
  }
  const modelFor = (onConflict: Case['onConflict']) =>
    defineModel({
      table: 'filled',
      columns: { id: integer().notNull(), at: timestamptz(), n: integer() },
      primaryKey: ['id'],
      onConflict,
    })

  it.for(cases)('becomes no value: onConflict $onConflict, a trigger $when', async (wanted) => {
    await using target = await open(wanted.when)
    await using sink = target.open()
    const model = modelFor(wanted.onConflict)
    await sink.prepare(model)
    await write(sink, model, [{ key: 'first', records: [['1', given, '1']] }])
    const { records, refused, rows } = wanted
    expect(await write(sink, model, [{ key: 'second', records }])).toEqual([
      applied(records.length - refused.length, refused.length),
    ])
    expect(
      await target.query('SELECT id, n, CAST(CAST(at AS DATETIME) AS CHAR) AS at FROM filled ORDER BY id'),
    ).toEqual(rows.map(([id, n]) => ({ id, n, at })))
    expect((await allRejects(sink)).map(({ record, column, code }) => [record, column, code])).toEqual(
      refused.map(([record, column]) => [record, column, 'CONSTRAINT_NOT_NULL']),
    )
  })

  it('becomes no time, by a load or a replay of its reject', async () => {
    await using target = await open()
    await using sink = target.open()
    const model = modelFor('error')
    expect(await sink.prepare(model)).toMatchObject({ notNull: ['at'] })
    const records = [
      ['1', null, '1'],
      ['2', given, null],
    ]
    expect(await write(sink, model, [{ key: 'one', records }])).toEqual([applied(1, 1)])
    const [reject] = await allRejects(sink)
    expect(reject).toMatchObject({ record: 0, column: 'at' })
    expect(await replay(sink, model, [{ id: reject?.id, record: ['1', null, '1'] }])).toMatchObject([
      { kind: 'refused' },
    ])
    expect(await target.rows('filled')).toMatchObject([{ id: 2, n: 7 }])
  })
})
