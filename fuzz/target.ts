/** What is fuzzed: a part of the program, inputs to begin with, and what must hold of every input. */

export interface Target {
  readonly name: string
  /** Bytes at the beginning of an input that choose how the rest is read. */
  readonly options: number
  /** Bodies to begin with. */
  readonly seeds: readonly (string | Buffer)[]
  /** What stands in its inputs often, and decides. */
  readonly tokens: readonly string[]
  /** Throws `Broken` where a rule does not hold, and whatever the program throws. */
  check(input: Input): void | Promise<void>
}

/** A rule that does not hold. */
export class Broken extends Error {
  readonly rule: string

  constructor(rule: string, what: unknown) {
    super(`${rule}: ${shown(what)}`)
    this.name = 'Broken'
    this.rule = rule
  }
}

const mostShown = 2000

function shown(what: unknown): string {
  const text = typeof what === 'string' ? what : (JSON.stringify(what, plain) ?? String(what))
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text
}

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** Throws `Broken` unless both are the same, as JSON has them. */
export function requireSame(rule: string, one: unknown, other: unknown): void {
  const [a, b] = [one, other].map((each) => JSON.stringify(each, plain))
  if (a !== b) throw new Broken(rule, `${shown(one)}\n  against ${shown(other)}`)
}

export function requireThat(rule: string, holds: boolean, what: unknown): void {
  if (!holds) throw new Broken(rule, what)
}

/** Bytes, the first of which are choices. */
export class Input {
  readonly bytes: Buffer
  readonly body: Buffer
  readonly #options: Buffer
  #next = 0

  constructor(bytes: Buffer, { options }: Pick<Target, 'options'>) {
    this.bytes = bytes
    this.#options = bytes.subarray(0, options)
    this.body = bytes.subarray(options)
  }

  /** The next choice; 0 where the input is short. */
  below(limit: number): number {
    return (this.#options[this.#next++] ?? 0) % limit
  }

  of<const T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}
