/** What many small files cost, counted in transactions, which is what time goes by. */
import { expect, it, onTestFinished, vi } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { load } from '../../src/load/load.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { Fixture, query } from '../support/fixture.ts'

const files = 200
const perFile = 3
/** What a load of one file takes, and a few more: far from one for each file. */
const mostOfServer = 60
const mostOfFiles = 40

/** Counts the transactions of SQLite files, those of a statement by itself among them. */
function countTransactions(): { count: number } {
  const counted = { count: 0 }
  // Both are called on their own file below.
  // oxlint-disable-next-line typescript/unbound-method
  const { transaction, run } = SqliteFile.prototype
  const spies = [
    vi.spyOn(SqliteFile.prototype, 'transaction').mockImplementation(function <T>(
      this: SqliteFile,
      work: () => T,
    ): T {
      counted.count++
      return transaction.call(this, work) as T
    }),
    vi.spyOn(SqliteFile.prototype, 'run').mockImplementation(function (this: SqliteFile, ...args) {
      if (!this.database.isTransaction) counted.count++
      return run.apply(this, args)
    }),
  ]
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()))
  return counted
}

/** Of the database, once its other sessions have ended and told what they did. */
async function commitsOf(url: string): Promise<number> {
  const others = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
  await vi.waitFor(async () => expect(await query(url, others)).toEqual([]))
  const [row] = await query<{ xact_commit: string }>(
    url,
    'SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()',
  )
  return Number(row?.xact_commit)
}

describePostgres('many small files', () => {
  it('take a few transactions of the database, the queue and the state, and not some for each file, the second time too', async () => {
    await using fixture = await Fixture.open('postgres')
    const paths: string[] = []
    for (let n = 0; n < files; n++) paths.push(await fixture.file(perFile))
    const { url } = fixture.target
    const counted = countTransactions()
    for (const loadedNow of [files * perFile, 0]) {
      const before = await commitsOf(url)
      counted.count = 0
      {
        await using queue = await openQueue(fixture.queueUrl)
        await using sink = await openSink(url)
        expect(await load({ ...fixture.producing(queue, paths), sink })).toMatchObject({ loadedNow })
      }
      expect(counted.count).toBeLessThan(mostOfFiles)
      expect((await commitsOf(url)) - before).toBeLessThan(mostOfServer)
    }
    expect(await fixture.expectAllOnce()).toHaveLength(files)
  })
})
