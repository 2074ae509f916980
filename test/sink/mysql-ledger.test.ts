import { expect, it } from 'vitest'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { integer } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { openMysql } from './mysql-target.ts'

const model = defineModel({ table: 'numbers', columns: { n: integer() } })

describeMariadb('the ledger in MariaDB', () => {
  it('is there when all of it is: whoever looks while its tables are made finds none', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    expect(await sink.ledger.isThere?.()).toBe(false)
    await sink.prepare(model)
    expect(await sink.ledger.isThere?.()).toBe(true)
    await target.query('DROP TABLE lading_dead_letter')
    await target.query('DELETE FROM lading_migration WHERE version >= 4')
    expect(await sink.ledger.isThere?.()).toBe(false)
    await using another = target.open()
    await another.prepare(model)
    expect(await another.ledger.isThere?.()).toBe(true)
    expect((await another.ledger.messages({})).deadLetters).toBe(0)
  })
})
