import { DuckDBInstance } from '@duckdb/node-api'
import type { Row } from '../contract/sink/target.ts'

/** Asks the file, beside a sink of the same process. */
export async function queryDuckdb(path: string, sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.fromCache(path)
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS() as Row[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
