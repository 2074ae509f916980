/** A kind of fault: what it does to a lane at work, and how that is undone. */
import type { Lane } from '../lanes/lane.ts'
import type { Round } from '../round.ts'
import type { Worker } from '../worker.ts'

export interface Fault {
  readonly name: string
  /** A run with few faults has it, too: it is over quickly. */
  readonly isQuick?: true
  /** Why it cannot strike this lane; undefined where it can. */
  obstacle(lane: Lane): string | undefined
  /** Resolves with undefined where there is nothing to strike just now. */
  strike(context: Context): Promise<Strike | undefined>
}

export interface Context {
  readonly lane: Lane
  readonly round: Round
  readonly random: () => number
}

export interface Strike {
  /** How long it lasts before it is undone; not at all by default. */
  readonly holdMs?: number
  undo?(): Promise<void> | void
  /** Who must come to work again; all who consume by default. */
  readonly victims?: readonly Worker[]
}

/** Between two bounds, in milliseconds. */
export const between = (random: () => number, least: number, most: number): number =>
  least + Math.floor(random() * (most - least))

/** A duration in milliseconds: mostly near `least`, to save time, and now and then long. */
export const lasting = (random: () => number, least: number, most: number): number =>
  between(() => random() ** 3, least, most)

export const oneOf = <Item>(items: readonly Item[], random: () => number): Item | undefined =>
  items[Math.floor(random() * items.length)]

/** The parts of a lane that have servers. */
export const parts = ['queue', 'database'] as const
export type PartName = (typeof parts)[number]
