/**
 * `npm run bench`: rows per second of `lading load` beside `psql \copy` of the same files into the same table, in one run, as a
 * ratio. Only ratios within one run mean anything: the figures themselves are those of this machine at this hour.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { generateSensors } from '../src/generate/sensors.ts'
import { startPostgres } from '../test/servers/postgres.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { findPsql, postgresShapes, postgresTable, shownSettings } from './postgres.ts'
import { figuresOf, tableText } from './report.ts'
import { type Measured, measureTable } from './rounds.ts'
import { findSqlite, sqliteTable } from './sqlite.ts'

type Facts = Record<string, unknown>

const tell = (line: string) => void process.stderr.write(`${line}\n`)

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) return
  if (options.build) build()
  const temporary = mkdtempSync(join(tmpdir(), 'lading-bench-'))
  try {
    const { data, files, bytes } = await generate(temporary, options)
    const facts: Facts = { ...machine(), records: options.records, files: files.length, bytes, rounds: options.rounds }
    const measured = [...(await onPostgres(data, files, temporary, options, facts)), ...(await onSqlite(data, files, temporary, options))]
    print(measured, facts, options)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function build(): void {
  const tsc = join(import.meta.dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(import.meta.dirname, '..', 'tsconfig.build.json')], { stdio: 'inherit' })
  if (status !== 0) throw new Error('lading could not be built')
}

async function generate(temporary: string, { records, sensors }: BenchOptions) {
  const data = join(temporary, 'data')
  tell(`generating ${records} records of ${sensors} sensors`)
  const options = {
    sensors,
    records: records / sensors,
    intervalSeconds: 1,
    start: '2024-01-01',
    timezone: 'UTC',
    directory: data,
    seed: 42,
  }
  const { bytes } = await generateSensors(options)
  const files = readdirSync(data).map((name) => join(data, name))
  return { data, files, bytes }
}

const machine = (): Facts => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  system: `${process.platform} ${process.arch}`,
})

async function onPostgres(
  data: string,
  files: readonly string[],
  temporary: string,
  options: BenchOptions,
  facts: Facts,
): Promise<Measured[]> {
  const shapes = postgresShapes.filter((shape) => options.sections.includes(shape))
  if (shapes.length === 0) return []
  const psql = findPsql()
  if (psql === undefined)
    tell('!!! THERE IS NO psql, on PATH or beside the server: lading is compared with nothing (Debian: postgresql-client)')
  await using server = await startPostgres({ settings: options.settings })
  Object.assign(facts, { postgresql: server.version, psql: psql?.version, settings: await shownSettings(server.url) })
  const measured: Measured[] = []
  for (const shape of shapes) {
    const table = postgresTable(shape, { server, psql, data, files }, options)
    measured.push(await measureTable(table, options.rounds, options.records, temporary, tell))
  }
  return measured
}

async function onSqlite(data: string, files: readonly string[], temporary: string, options: BenchOptions): Promise<Measured[]> {
  if (!options.sections.includes('sqlite')) return []
  const program = findSqlite()
  if (program === undefined) tell('there is no sqlite3 on PATH: lading into SQLite is compared with nothing')
  const table = sqliteTable(program, data, files, temporary, options)
  return [await measureTable(table, options.rounds, options.records, temporary, tell)]
}

function print(measured: readonly Measured[], facts: Facts, options: BenchOptions): void {
  const tables = measured.map((each) => ({ title: each.title, figures: figuresOf(each, options.records), faults: each.faults }))
  if (options.json)
    console.log(JSON.stringify({ ...facts, tables, runs: measured.map(({ runs }) => Object.fromEntries(runs)) }, undefined, 2))
  else {
    for (const [name, value] of Object.entries(facts))
      console.log(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    for (const { title, figures } of tables) console.log(tableText(title, figures))
  }
  const faults = tables.flatMap((table) => table.faults.map((fault) => `!!! ${table.title}, ${fault}`))
  for (const fault of faults) tell(fault)
  if (faults.length > 0) process.exitCode = 1
  else tell('every run gave the same rows')
}

await main()
