/**
 * `npm run demo`: what a plain COPY cannot do, in half a minute, with nothing but Node. Four files go through
 * the embedded queue and two consumer processes into a SQLite file. Everything is killed half-way, and still
 * adds up; one record is wrong, and is mended.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'

const folder = mkdtempSync(join(tmpdir(), 'lading-demo-'))
const database = join(folder, 'lading.db')
const program = join(import.meta.dirname, '..', 'bin', 'lading.js')
const load = ['load', 'data', '--consumers', '2']

const say = (text = '') => console.log(text)
const title = (text: string) => say(`\n${styleText('bold', `── ${text}`)}`)
const command = (words: readonly string[]) =>
  say(styleText('cyan', `$ lading ${words.map(quoted).join(' ')}`))
const quoted = (word: string) => (/^[\w./:-]+$/.test(word) ? word : `'${word}'`)

/** Runs a command and prints the lines that say something here. */
function run(words: readonly string[], isShown = /./): void {
  command(words)
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...words], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0 && status !== 3)
    throw new Error(`lading ${words.join(' ')} ended with ${status}: ${stderr}`)
  const lines = `${stderr.replaceAll(/^\S+Z /gm, '')}${stdout}`.split('\n')
  for (const line of lines) if (line !== '' && isShown.test(line)) say(`  ${line}`)
}

function ask(sql: string): number {
  using file = new DatabaseSync(database, { readOnly: true })
  return Number(file.prepare(sql).get()?.['n'])
}

/** Rows that are committed; 0 as long as there is no table. */
function rows(): number {
  try {
    return existsSync(database) ? ask('SELECT count(*) AS n FROM records') : 0
  } catch {
    return 0
  }
}

/** SIGKILL to the load and its consumers at once, with some of the rows in the table. */
async function killHalfWay(): Promise<number> {
  command(load)
  // A process group of its own: the signal reaches the consumers, too.
  const child = spawn(process.execPath, [program, ...load], { cwd: folder, detached: true, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  while (child.exitCode === null && rows() < 100_000) await sleep(5)
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    // It was over already.
  }
  await ended
  return rows()
}

function spoilOneRecord(): void {
  const file = join(folder, 'data', readdirSync(join(folder, 'data')).toSorted()[0] ?? '')
  const lines = readFileSync(file, 'utf8').split('\n')
  lines[700] = (lines[700] ?? '').replace(/[^,]*$/, 'broken')
  writeFileSync(file, lines.join('\n'))
}

function goodRecord(): string {
  using file = new DatabaseSync(database, { readOnly: true })
  const raw = file.prepare('SELECT raw FROM lading_reject').get()?.['raw'] as Uint8Array
  return Buffer.from(raw).toString().trim().replace('broken', '21.5')
}

const count = (n: number) => n.toLocaleString('en-US')

try {
  title('Four files, 400,000 sensor readings. One reading is the word "broken".')
  run(['generate', 'sensors', '--sensors', '4', '--records', '100000', '--dir', 'data'])
  spoilOneRecord()

  title('Load them, with two consumer processes, and kill everything half-way.')
  const before = await killHalfWay()
  say(
    styleText(
      'red',
      `  kill -9: ${count(before)} of 400,000 rows are committed; no process had time to clean up.`,
    ),
  )

  title('The same command again. It finishes what is left.')
  run(load, /resuming|loaded|all |adds up|rejected/)

  title('Is anything lost, or there twice? Ask the database, not Lading.')
  say(`  rows: ${count(rows())}`)
  say(
    `  different readings: ${count(ask('SELECT count(*) AS n FROM (SELECT DISTINCT sensor_id, record_time FROM records)'))}`,
  )

  title('And the bad record? Kept, with its place. Mend it and load it alone.')
  run(['rejects', 'show', '1'], /^(?! {2}(help|edit|then|--))/)
  run(['rejects', 'edit', '1', '--record', goodRecord()])
  run(['rejects', 'replay', '1'])

  title('Once more, for good measure: there is nothing to do.')
  run([...load, '--quiet'], /this run/)

  title('The receipt, which adds up.')
  run(['verify'])
  say(`\nYour own file: ${styleText('cyan', 'npx lading load FILE')}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
