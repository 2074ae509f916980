/**
 * Measures the ways into one table in interleaved rounds, and proves after each run that the table holds the
 * same rows.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cost } from './process.ts'
import { serverCpuSeconds } from './memory.ts'

export interface Way {
  /** As it stands in the table, in Markdown. */
  readonly name: string
  /** Lading itself, and no peer of it. */
  readonly isLading: boolean
  /** Where it loads fewer records than the table has: only its rate is compared. */
  readonly records?: number
  /** Before the run and not timed; after the table was made anew. */
  prepare?(folder: string): Promise<void>
  /** Loads everything; `folder` belongs to this run alone. */
  run(folder: string): Promise<Cost>
}

export interface Server {
  readonly name: string
  pid(): number
}

export interface Table {
  readonly title: string
  /** What is counted, in the plural. */
  readonly unit: string
  readonly records: number
  /** The first one is what the others are compared with. */
  readonly ways: readonly Way[]
  /** Whose CPU time is told beside that of the clients. */
  readonly servers: readonly Server[]
  /** Runs of minutes need none: each fills the caches by itself. */
  readonly warmUp?: false
  /** At most so many, however many are asked for. */
  readonly rounds?: number
  /** Makes the table anew and brings the target to rest. */
  reset(): Promise<void>
  /** Undefined for a way that fills no table. */
  state(way: Way): Promise<TableState | undefined>
  /** Sentences about what was seen on the way. */
  notes?(): readonly string[]
}

export interface TableState {
  readonly rows: number
  /** Does not depend on the order of the rows. */
  readonly checksum: string
}

export interface Run extends Cost {
  readonly serverCpuSeconds: Readonly<Record<string, number>>
}

export interface Measured {
  readonly table: Table
  /** Runs of each way, in the order of the rounds. */
  readonly runs: ReadonlyMap<Way, readonly Run[]>
  /** What was wrong with the rows of a run; empty where every run gave the same. */
  readonly faults: readonly string[]
}

export interface Conduct {
  readonly rounds: number
  readonly temporary: string
  readonly tell: (line: string) => void
}

export async function measureTable(table: Table, conduct: Conduct): Promise<Measured> {
  const { temporary, tell } = conduct
  const rounds = Math.min(conduct.rounds, table.rounds ?? conduct.rounds)
  const runs = new Map<Way, Run[]>(table.ways.map((way) => [way, []]))
  const parity = new Parity()
  // Round 0 is the warm-up, held to the same rows.
  for (let round = table.warmUp === false ? 1 : 0; round <= rounds; round++) {
    const label = round === 0 ? 'warm-up' : `round ${round}`
    for (const way of rotated(table.ways, round)) {
      const run = await runOnce(table, way, temporary)
      const state = await table.state(way)
      if (state !== undefined) parity.check(`${label}, ${way.name}`, way.records ?? table.records, state)
      tell(`${table.title}, ${label}: ${way.name} ${run.seconds.toFixed(2)} s`)
      if (round > 0) runs.get(way)?.push(run)
    }
  }
  return { table, runs, faults: parity.faults }
}

/** Ways that load equally many records load the same ones. */
class Parity {
  readonly faults: string[] = []
  readonly #expected = new Map<number, string>()

  check(run: string, records: number, { rows, checksum }: TableState): void {
    if (rows !== records) this.faults.push(`${run}: ${rows} rows instead of ${records}`)
    const expected = this.#expected.get(records) ?? checksum
    this.#expected.set(records, expected)
    if (checksum !== expected) this.faults.push(`${run}: checksum ${checksum} instead of ${expected}`)
  }
}

/** No way always runs in another's wake. */
const rotated = (ways: readonly Way[], round: number): readonly Way[] => {
  const first = round % ways.length
  return [...ways.slice(first), ...ways.slice(0, first)]
}

async function runOnce(table: Table, way: Way, temporary: string): Promise<Run> {
  const folder = mkdtempSync(join(temporary, 'run-'))
  try {
    await table.reset()
    await way.prepare?.(folder)
    const before = cpuOf(table.servers)
    const cost = await way.run(folder)
    const after = cpuOf(table.servers)
    const spent = Object.entries(after).map(
      ([name, seconds]) => [name, seconds - (before[name] ?? 0)] as const,
    )
    return { ...cost, serverCpuSeconds: Object.fromEntries(spent) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Without those whose processes cannot be seen, such as a container's. */
function cpuOf(servers: readonly Server[]): Record<string, number> {
  const seconds: Record<string, number> = {}
  for (const server of servers) {
    const cpu = serverCpuSeconds(server.pid())
    if (cpu !== undefined) seconds[server.name] = cpu
  }
  return seconds
}
