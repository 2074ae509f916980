/** LOAD DATA of MariaDB makes the next number of a 0, whatever the session says, once a row is more than its fields. */
import { expect, it } from 'vitest'
import { boolean, bytea, type Column, integer, text, timestamptz } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { applied, numbers as ids, write } from '../contract/sink/target.ts'
import { openMysql } from './mysql-target.ts'

interface Case {
  readonly beside: string
  readonly column: Column
  readonly value: string
  readonly trigger?: boolean
}

const cases: readonly Case[] = [
  { beside: 'text', column: text(), value: 'x' },
  { beside: 'blob', column: bytea(), value: '\\x00' },
  { beside: 'bit(1)', column: boolean(), value: 'true' },
  { beside: 'timestamp(6) NOT NULL', column: timestamptz(), value: '2024-01-01T00:00:00Z' },
  { beside: 'text', column: text(), value: 'x', trigger: true },
]

const policies = ['error', 'update', 'skip', 'merge'] as const

describeMariadb('0 in an AUTO_INCREMENT column of MariaDB', () => {
  it.for(cases.flatMap((each) => policies.map((onConflict) => ({ ...each, onConflict }))))(
    'stays 0 beside $beside, onConflict $onConflict, with a trigger: $trigger',
    async ({ beside, column, value, trigger, onConflict }) => {
      await using target = await openMysql()
      await target.query(`CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, beside ${beside})`)
      if (trigger) await target.query('CREATE TRIGGER t BEFORE INSERT ON counted FOR EACH ROW SET @seen = 1')
      await using sink = target.open()
      const columns = { id: integer().notNull(), beside: column }
      const model = defineModel({ table: 'counted', columns, primaryKey: ['id'], onConflict })
      await sink.prepare(model)
      const records = [
        ['0', value],
        ['1', value],
      ]
      expect(await write(sink, model, [{ key: 'one', records }])).toEqual([applied(2)])
      expect(await ids(target, 'counted')).toEqual([0, 1])
    },
  )
})
