/** Medians and ratios of runs, and what follows from them. */
import type { StoredRun, StoredTable, StoredWay } from './results.ts'

export interface Figures {
  readonly way: StoredWay
  readonly rate: { readonly median: number; readonly min: number; readonly max: number }
  /**
   * To the first way: the median of the ratios within each round, so that the machine's mood between rounds
   * cancels out.
   */
  readonly ratio: number
  readonly clientCpuSeconds: number
  readonly serverCpuSeconds: Readonly<Record<string, number>>
  readonly peaks: Readonly<Record<string, number>>
}

export function figuresOf({ ways }: StoredTable): Figures[] {
  const [base] = ways
  return ways.map((way) => {
    const rates = ratesOf(way)
    return {
      way,
      rate: { median: median(rates), min: Math.min(...rates), max: Math.max(...rates) },
      ratio: base === undefined ? Number.NaN : ratioOf(way, base),
      clientCpuSeconds: median(way.runs.map(({ cpuSeconds }) => cpuSeconds)),
      serverCpuSeconds: mediansOf(way.runs, (run) => run.serverCpuSeconds),
      peaks: mediansOf(way.runs, (run) => run.peaks),
    }
  })
}

/** How often as many records in the same time. */
export function ratioOf(way: StoredWay, other: StoredWay): number {
  const others = ratesOf(other)
  return median(ratesOf(way).map((rate, round) => rate / (others[round] ?? Number.NaN)))
}

/** A peer that is faster than some way of lading. */
export interface Loss {
  readonly peer: StoredWay
  readonly ways: readonly { readonly way: StoredWay; readonly ratio: number }[]
}

/** Every ratio below 1 of lading to a peer of the same table. */
export function lossesOf({ ways }: StoredTable): Loss[] {
  const others = ways.filter(({ isLading }) => !isLading)
  // Where lading is only compared with itself, the first way stands for the peers.
  const peers = others.length === 0 ? ways.slice(0, 1) : others
  const own = ways.filter((way) => way.isLading && !peers.includes(way))
  return peers.flatMap((peer) => {
    const slower = own.map((way) => ({ way, ratio: ratioOf(way, peer) })).filter(({ ratio }) => ratio < 1)
    return slower.length === 0 ? [] : [{ peer, ways: slower }]
  })
}

const ratesOf = ({ records, runs }: StoredWay): number[] => runs.map(({ seconds }) => records / seconds)

type Named = Readonly<Record<string, number>>

function mediansOf(runs: readonly StoredRun[], pick: (run: StoredRun) => Named): Named {
  const names = new Set(runs.flatMap((run) => Object.keys(pick(run))))
  const values = (name: string) => runs.map((run) => pick(run)[name]).filter((value) => value !== undefined)
  return Object.fromEntries([...names].map((name) => [name, median(values(name))]))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}
