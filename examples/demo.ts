/**
 * `npm run demo`: sensor CSVs → embedded durable queue → two consumer processes → a SQLite file, with nothing
 * but Node.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const folder = mkdtempSync(join(tmpdir(), 'lading-demo-'))
const database = join(folder, 'demo.db')
const lading = join(import.meta.dirname, '..', 'bin', 'lading.js')

function run(...args: string[]): void {
  console.log(`\n$ lading ${args.join(' ').replaceAll(folder, '.')}`)
  const { status } = spawnSync(process.execPath, [lading, ...args], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`the command ended with exit code ${status}`)
}

try {
  run('generate', 'sensors', '--sensors', '10', '--records', '10000', '--dir', 'data')
  const load = [
    'load',
    'data',
    '--model',
    'records',
    '--to',
    `sqlite:${database}`,
    '--queue',
    'embedded:queue.db',
    '--consumers',
    '2',
    '--quiet',
  ]
  run(...load)
  run(...load)
  console.log('\n$ sqlite> SELECT * FROM records ORDER BY record_time, sensor_id LIMIT 5')
  using file = new DatabaseSync(database, { readOnly: true })
  console.table(
    file
      .prepare('SELECT * FROM records ORDER BY record_time, sensor_id LIMIT 5')
      .all()
      .map((row) => ({ ...row })),
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
