/** Runs that replace the rows of a table are killed with SIGKILL at random moments, while others read it. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { describePostgres } from '../../tooling/servers/database.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { asTaken } from '../../src/sink/receipt.ts'
import { queryDuckdb } from '../support/duckdb.ts'
import { duckdbTarget, Fixture } from '../support/fixture.ts'
import { startLading } from '../support/lading.ts'
import { mariadbTarget, queryMariadb } from '../support/mariadb.ts'
import { randomFrom } from '../support/restarted-process.ts'

const model = join(import.meta.dirname, '../support/model.ts')
const step = 100_000

/** The rows of a generation are `generation * step` and the next ones, as many as these. */
const sizeOf = (generation: number): number => 3000 + generation * 10

interface Readers {
  /** Nobody can read while a process has the file open. */
  readonly wait?: true
}

async function killedReplacements(fixture: Fixture, kills: number, readers: Readers = {}): Promise<void> {
  const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  const fileOf = async (generation: number) => {
    const path = join(fixture.folder, `${generation}.csv`)
    const lines = Array.from({ length: sizeOf(generation) }, (_, n) => `${generation * step + n},note\n`)
    await writeFile(path, `id,note\n${lines.join('')}`)
    return path
  }
  const places = ['--to', fixture.target.url, '--state', join(fixture.folder, 'producer.db')]
  const options = ['--replace', '--model', model, '--chunk-bytes', '2000', '--log-level', 'debug']
  const replace = async (generation: number) =>
    startLading('load', await fileOf(generation), ...options, ...places)
  const first = await replace(1)
  expect(await first.ended, first.output()).toBe(0)
  let over = false
  const seen = new Set<number>()
  const read = async () => {
    const ids = await fixture.target.ids()
    const generation = Math.floor((ids[0] ?? 0) / step)
    // All rows of one generation, and none of another.
    expect([ids.length, ids.at(-1)]).toEqual([sizeOf(generation), generation * step + sizeOf(generation) - 1])
    seen.add(generation)
  }
  const reading = (async () => {
    while (!over && readers.wait !== true) {
      await read()
      // Readers that never rest would take the time of those that are killed.
      await sleep(5)
    }
  })()
  let generation = 1
  for (let killed = 0; killed < kills;) {
    const run = await replace(++generation)
    const begun = new Promise<void>((resolve) =>
      run.child.stderr?.on('data', () => run.output().includes('planned') && resolve()),
    )
    await Promise.race([begun, run.ended])
    const timer = setTimeout(() => run.child.kill('SIGKILL'), random() * 300)
    const code = await run.ended
    clearTimeout(timer)
    if (code === null) killed++
    else expect(code, run.output()).toBe(0)
    if (readers.wait === true) await read()
    await using sink = await fixture.sink()
    const standing = (await sink.ledger.receipts({})).map(asTaken)
    // What was gathered, and not taken, is loaded by nobody.
    expect(standing.reduce((sum, { loaded }) => sum + loaded, 0)).toBe((await fixture.target.ids()).length)
  }
  const last = await replace(++generation)
  expect(await last.ended, last.output()).toBe(0)
  over = true
  await reading
  console.log(`kills: ${JSON.stringify({ seed, kills, generations: generation, seen: seen.size })}`)
  const ids = await fixture.target.ids()
  expect([ids[0], ids.length]).toEqual([generation * step, sizeOf(generation)])
  await using sink = await fixture.sink()
  const receipts = await sink.ledger.receipts({})
  expect(receipts.filter(({ loaded, isReplaced }) => loaded === 0 && isReplaced !== true)).toEqual([])
  expect(receipts.filter(({ isReplaced }) => isReplaced !== true)).toMatchObject([
    { loaded: sizeOf(generation) },
  ])
  expect((await readdir(fixture.folder)).filter((name) => name.includes('replacing'))).toEqual([])
}

it(
  'however often it is killed, readers in SQLite see the rows of one file or of the next, and nothing is left behind',
  { timeout: 240_000 },
  async () => {
    await using fixture = await Fixture.open()
    await killedReplacements(fixture, 3)
  },
)

describePostgres('PostgreSQL', () => {
  it(
    'however often it is killed, readers see the rows of one file or of the next, and nothing is left behind',
    { timeout: 240_000 },
    async () => {
      await using fixture = await Fixture.open('postgres')
      await killedReplacements(fixture, 4)
      await fixture.target.execute(
        "SELECT 1 / (1 - count(*)) FROM pg_class WHERE relname LIKE 'replacing%' AND relkind = 'r'",
      )
    },
  )
})

describeMariadb('MariaDB', () => {
  it(
    'however often it is killed, readers see the rows of one file or of the next, and nothing is left behind',
    { timeout: 240_000 },
    async () => {
      await using fixture = await Fixture.open(await mariadbTarget())
      await killedReplacements(fixture, 3)
      expect(await queryMariadb(fixture.target.url, "SHOW TABLES LIKE '%replacing%'")).toEqual([])
    },
  )
})

it(
  'however often it is killed, a DuckDB file holds the rows of one file or of the next, and nothing is left behind',
  { timeout: 240_000 },
  async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'lading-faults-')), 'target.duckdb')
    await using fixture = await Fixture.open(duckdbTarget(path))
    await killedReplacements(fixture, 3, { wait: true })
    expect(await queryDuckdb(path, "FROM duckdb_tables() WHERE table_name LIKE '%replacing%'")).toEqual([])
    await rm(dirname(path), { recursive: true })
  },
)
