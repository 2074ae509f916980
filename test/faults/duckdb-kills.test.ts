/** DuckDB as the target of a consumer that is killed again and again: its log and its lock must keep what was confirmed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'vitest'
import { queryDuckdb } from '../support/duckdb.ts'
import { killedLoad, killsTimeout, storedOf } from './killed-load.ts'

it(
  'no record is lost or loaded twice in a DuckDB file, however often its one process is killed',
  { timeout: killsTimeout },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lading-duckdb-kills-'))
    const path = join(folder, 'target.duckdb')
    try {
      await killedLoad({
        folder,
        queueUrl: `embedded:${join(folder, 'queue.db')}?lease=1`,
        target: `duckdb:${path}`,
        kills: 20,
        // Another one could not open the file.
        consumers: 1,
        read: async () => {
          const [row] = await queryDuckdb(
            path,
            'SELECT count(*) AS rows, (SELECT count(*) FROM (SELECT DISTINCT sensor_id, record_time FROM readings)) AS "distinct" FROM readings',
          )
          return storedOf(row)
        },
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
