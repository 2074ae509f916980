/** DuckDB's own COPY, one statement for each file: node duckdb-copy.ts DATABASE FILE… */
import { DuckDBInstance } from '@duckdb/node-api'

const [, , path = '', ...files] = process.argv
const instance = await DuckDBInstance.create(path)
const connection = await instance.connect()
for (const file of files) await connection.run(`COPY records FROM '${file.replaceAll("'", "''")}' (HEADER)`)
connection.closeSync()
instance.closeSync()
