/** MariaDB's own LOAD DATA LOCAL INFILE, one statement for each file: node mariadb-load.ts URL FILE… */
import { createReadStream } from 'node:fs'
import { createConnection } from 'mysql2/promise'

const [, , url = '', ...files] = process.argv
const connection = await createConnection(url)
// Times as the files write them: a zone behind the time has to be cut off and counted.
const sql = `LOAD DATA LOCAL INFILE 'rows' INTO TABLE records CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"'
  IGNORE 1 LINES (@time, sensor_id, value) SET record_time = convert_tz(left(@time, 23), right(@time, 6), '+00:00')`
for (const file of files)
  await connection.query({
    sql,
    infileStreamFactory: () => createReadStream(file, { highWaterMark: 1 << 18 }),
  })
await connection.end()
