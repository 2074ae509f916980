/** Measures the ways into one table in interleaved rounds, and proves after each run that the table holds the same rows. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cost } from './process.ts'

export interface Way {
  readonly name: string
  /** Loads all files; `folder` is empty and belongs to this run alone. */
  run(folder: string): Promise<Cost>
}

export interface Table {
  readonly title: string
  /** The first one is what the others are compared with. */
  readonly ways: readonly Way[]
  /** Makes the table anew and brings the target to rest. */
  reset(): Promise<void>
  /** Number of rows, and a checksum that does not depend on their order. */
  state(): Promise<TableState>
  /** CPU seconds of the server until now; undefined where they cannot be had. */
  serverCpu(): number | undefined
}

export interface TableState {
  readonly rows: number
  readonly checksum: string
}

export interface Run extends Cost {
  readonly serverCpuSeconds: number | undefined
  readonly state: TableState
}

export interface Measured {
  readonly title: string
  /** Runs of each way, in the order of the rounds. */
  readonly runs: ReadonlyMap<string, readonly Run[]>
  /** What was wrong with the rows of a run; empty where every run gave the same. */
  readonly faults: readonly string[]
}

export async function measureTable(
  table: Table,
  rounds: number,
  records: number,
  temporary: string,
  tell: (line: string) => void,
): Promise<Measured> {
  const runs = new Map<string, Run[]>(table.ways.map(({ name }) => [name, []]))
  const faults: string[] = []
  let expected: string | undefined
  // Round 0 is the warm-up: it fills the caches and is held to the same rows.
  for (let round = 0; round <= rounds; round++) {
    for (const way of rotated(table.ways, round)) {
      const run = await runOnce(table, way, temporary)
      const { rows, checksum } = run.state
      expected ??= checksum
      if (rows !== records) faults.push(`round ${round}, ${way.name}: ${rows} rows instead of ${records}`)
      if (checksum !== expected) faults.push(`round ${round}, ${way.name}: checksum ${checksum} instead of ${expected}`)
      tell(`${table.title}, ${round === 0 ? 'warm-up' : `round ${round}`}: ${way.name} ${run.seconds.toFixed(2)} s`)
      if (round > 0) runs.get(way.name)?.push(run)
    }
  }
  return { title: table.title, runs, faults }
}

/** No way always runs in another's wake. */
const rotated = (ways: readonly Way[], round: number): readonly Way[] => {
  const first = round % ways.length
  return [...ways.slice(first), ...ways.slice(0, first)]
}

async function runOnce(table: Table, way: Way, temporary: string): Promise<Run> {
  await table.reset()
  const folder = mkdtempSync(join(temporary, 'run-'))
  try {
    const before = table.serverCpu()
    const cost = await way.run(folder)
    const after = table.serverCpu()
    const serverCpuSeconds = before === undefined || after === undefined ? undefined : after - before
    return { ...cost, serverCpuSeconds, state: await table.state() }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
