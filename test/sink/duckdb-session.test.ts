import { DuckDBInstance } from '@duckdb/node-api'
import { expect, it } from 'vitest'
import { Session } from '../../src/sink/duckdb/session.ts'

it('COMMIT is not believed after a statement that failed, whoever has hidden the error', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const session = await Session.of(await instance.connect())
  await session.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY)')
  const insert = () => session.exec('INSERT INTO numbers VALUES (1)')
  const hidden = session.transaction(async () => {
    await insert()
    await insert().catch(() => undefined)
  })
  await expect(hidden).rejects.toMatchObject({ code: 'SINK_FAILED' })
  await session.transaction(insert)
  expect(await session.run('DELETE FROM numbers')).toBe(1)
  instance.closeSync()
})
