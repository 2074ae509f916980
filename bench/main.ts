/**
 * `npm run bench`: lading beside what else brings the same records into the same table, in interleaved
 * rounds, as ratios. Only ratios within one run mean anything: the figures themselves are those of this
 * machine at this hour.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Context, tell } from './context.ts'
import type { Size } from './data.ts'
import { writeDocument } from './document.ts'
import { type BenchOptions, readOptions } from './options.ts'
import { endOnSignals } from './process.ts'
import { profileWays } from './profile.ts'
import { tableText } from './report.ts'
import { scale } from './scale/scale.ts'
import { type Result, resultOf, storedResults, storeResult } from './results.ts'
import { type Measured, measureTable, type Table } from './rounds.ts'
import { sections } from './sections/index.ts'
import type { Section } from './sections/section.ts'

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) return
  if (options.mode === 'render') return tell(`wrote ${writeDocument(storedResults())}`)
  endOnSignals()
  if (options.build) build()
  if (options.mode === 'scale') return await scale(options)
  if (options.mode === 'profile') return await profile(options)
  const results: Result[] = []
  for (const name of options.sections) results.push(...(await measureSection(sections[name], options)))
  conclude(results, options)
}

function build(): void {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('lading could not be built')
}

/** Servers and files of its own for each section, so that none runs in another's wake. */
async function measureSection(section: Section, options: BenchOptions): Promise<Result[]> {
  const results: Result[] = []
  for (const size of sizesOf(section, options)) {
    await using context = new Context(options)
    const measured: Measured[] = []
    for (const table of await section.tables(context, size))
      measured.push(
        await measureTable(chosen(table, options), {
          rounds: options.rounds,
          temporary: context.temporary,
          tell,
        }),
      )
    const result = resultOf(section.name, size, context, measured)
    results.push(result)
    if (!options.json)
      for (const table of result.tables) console.log([tableText(table), ...table.notes].join('\n'))
    if (options.write && result.tables.length > 0) tell(`wrote ${storeResult(result)}`)
  }
  return results
}

/** One way of lading of each section, or all whose names hold the text of --ways. */
async function profile(options: BenchOptions): Promise<void> {
  for (const section of options.sections.map((name) => sections[name])) {
    for (const size of sizesOf(section, options)) {
      await using context = new Context(options)
      const tables = await section.tables(context, size)
      const ways = (table: Table) => {
        const own = chosen(table, options).ways.filter(({ isLading }) => isLading)
        return options.only === undefined ? own.slice(0, 1) : own
      }
      console.log(await profileWays(tables, ways, context))
    }
  }
}

function sizesOf({ records, perFile, sensors, sizes }: Section, options: BenchOptions): readonly Size[] {
  if (sizes !== undefined && options.records === undefined && options.sensors === undefined) return sizes
  const all = sensors.length === 0 ? [1] : (options.sensors ?? sensors)
  return all.map((each) => ({
    records: options.records ?? (perFile === true ? records * each : records),
    sensors: each,
  }))
}

function chosen(table: Table, { only }: BenchOptions): Table {
  if (only === undefined) return table
  return {
    ...table,
    ways: table.ways.filter(
      ({ name }, index) => index === 0 || only.split(',').some((text) => name.includes(text)),
    ),
  }
}

function conclude(results: readonly Result[], options: BenchOptions): void {
  if (options.json) console.log(JSON.stringify(results, undefined, 2))
  if (options.write) tell(`wrote ${writeDocument(storedResults())}`)
  for (const missing of new Set(results.flatMap((result) => result.missing))) tell(`!!! ${missing}`)
  const faults = results.flatMap(({ tables }) =>
    tables.flatMap((table) => table.faults.map((fault) => `!!! ${table.title}, ${fault}`)),
  )
  for (const fault of faults) tell(fault)
  if (faults.length > 0) process.exitCode = 1
  else tell('every run gave the same rows')
}

await main()
