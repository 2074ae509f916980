/**
 * A schedule is a list of numbers: at each decision, which of the options is taken. The first option is what happens
 * in a world without failures, so a schedule is written as the decisions that differ from 0: `12:3,15:1`.
 */

export interface Option {
  /** What happens, in words: it is counted, and printed. */
  readonly name: string
  readonly kind: Kind
}

/** What may happen next. */
export interface Event extends Option {
  readonly about?: string | undefined
  readonly act: () => void
}

/** What a random schedule has more or less of. */
export type Kind = (typeof kinds)[number]

const kinds = [
  'done',
  'slow',
  'late',
  'lost',
  'passing',
  'split',
  'halt',
  'drop',
  'clock',
  'crash',
  'stop',
  'start',
  'away',
  'setup',
] as const

export class Choices {
  readonly taken: number[] = []
  readonly #next: (options: readonly Option[], at: number) => number

  constructor(next: (options: readonly Option[], at: number) => number) {
    this.#next = next
  }

  take<T extends Option>(options: readonly T[]): T {
    const wanted = this.#next(options, this.taken.length)
    const taken = wanted < options.length ? wanted : 0
    this.taken.push(taken)
    return options[taken] as T
  }
}

export const replayed = (schedule: readonly number[]): Choices => new Choices((_, at) => schedule[at] ?? 0)

/**
 * Failures of some kinds, each of them seldom or often, for a while; afterwards nothing fails. What is the same in all
 * schedules would hide what takes many failures of one kind and none of another.
 */
export function random(seed: number): Choices {
  const next = numbers(seed)
  const oneOf = (values: readonly number[]) => values[Math.floor(next() * values.length)] as number
  const share = oneOf([0, 0.02, 0.1, 0.3])
  const weights = new Map<Kind, number>(kinds.map((kind) => [kind, next() < 0.5 ? 0 : share * next()]))
  weights.set('done', 1)
  weights.set('setup', 1)
  weights.set('slow', oneOf([0, 0.1, 1]))
  weights.set('late', oneOf([0, 0.02, 0.3]))
  weights.set('clock', oneOf([0.02, 0.2, 1]))
  const failures = oneOf([0, 20, 60, 200])
  return new Choices((options, at) => {
    const isSetup = options[0]?.kind === 'setup'
    if (!isSetup && at > failures) return 0
    let sum = 0
    for (const { kind } of options) sum += weights.get(kind) ?? 0
    let left = next() * sum
    for (const [index, { kind }] of options.entries()) if ((left -= weights.get(kind) ?? 0) < 0) return index
    return 0
  })
}

/** Numbers from 0 to below 1, the same for each seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const written = (schedule: readonly number[]): string =>
  schedule.flatMap((option, at) => (option === 0 ? [] : [`${at}:${option}`])).join()

export function read(text: string): number[] {
  const schedule: number[] = []
  for (const part of text.split(',').filter(Boolean)) {
    const [, at, option] = /^(\d+):(\d+)$/.exec(part) ?? []
    if (at === undefined)
      throw new Error(`a schedule is written as 12:3,15:1, and not as ${JSON.stringify(text)}`)
    schedule[Number(at)] = Number(option)
  }
  return Array.from(schedule, (option) => option ?? 0)
}
