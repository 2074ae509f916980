/**
 * What was measured, as files in bench/results: one for each section and size, from which docs/benchmarks.md
 * is rendered.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Context } from './context.ts'
import type { Size } from './data.ts'
import { type SectionName, sectionNames } from './options.ts'
import type { Measured } from './rounds.ts'

export interface StoredRun {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly serverCpuSeconds: Readonly<Record<string, number>>
  /** MiB of the largest process of each role. */
  readonly peaks: Readonly<Record<string, number>>
}

export interface StoredWay {
  readonly name: string
  readonly isLading: boolean
  readonly records: number
  readonly runs: readonly StoredRun[]
}

export interface StoredTable {
  readonly title: string
  readonly unit: string
  readonly ways: readonly StoredWay[]
  readonly notes: readonly string[]
  readonly faults: readonly string[]
}

export interface Result {
  readonly section: SectionName
  readonly size: Size
  /** Day, UTC. */
  readonly taken: string
  readonly rounds: number
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  /** Of PostgreSQL. */
  readonly settings: Readonly<Record<string, string>>
  readonly missing: readonly string[]
  readonly tables: readonly StoredTable[]
}

export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly system: string
}

const machine = (): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${process.arch}`,
})

export function resultOf(
  section: SectionName,
  size: Size,
  context: Context,
  measured: readonly Measured[],
): Result {
  return {
    section,
    size,
    taken: new Date().toISOString().slice(0, 10),
    rounds: Math.max(...measured.flatMap(({ runs }) => [...runs.values()].map((each) => each.length))),
    machine: machine(),
    versions: context.versions,
    settings: context.settings,
    missing: [...context.missing],
    tables: measured.map(storedTable),
  }
}

const storedTable = ({ table, runs, faults }: Measured): StoredTable => ({
  title: table.title,
  unit: table.unit,
  ways: [...runs].map(([{ name, isLading, records = table.records }, each]) => ({
    name,
    isLading,
    records,
    runs: each.map(({ seconds, cpuSeconds, serverCpuSeconds, peaks }) => ({
      seconds: rounded(seconds),
      cpuSeconds: rounded(cpuSeconds),
      serverCpuSeconds: allRounded(serverCpuSeconds),
      peaks: allRounded(peaks),
    })),
  })),
  notes: table.notes?.() ?? [],
  faults,
})

const rounded = (value: number): number => Math.round(value * 1000) / 1000
const allRounded = (values: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]))

const folder = join(import.meta.dirname, 'results')

export function storeResult(result: Result): string {
  mkdirSync(folder, { recursive: true })
  const { section, size } = result
  const path = join(folder, `${section}-${size.sensors}x${size.records / size.sensors}.json`)
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`)
  return path
}

/** In the order of the sections, and within each those with more files first. */
export function storedResults(): Result[] {
  mkdirSync(folder, { recursive: true })
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const results = names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result)
  const place = ({ section }: Result) => sectionNames.indexOf(section)
  return results.sort(
    (a, b) => place(a) - place(b) || b.size.sensors - a.size.sensors || a.size.records - b.size.records,
  )
}
