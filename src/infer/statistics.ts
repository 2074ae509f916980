/** What the values of a column are, in the form of its type. Memory is bounded, whatever the column holds. */
import type { Value } from '../model/value.ts'

export interface FrequentValue {
  readonly value: string
  /** Records that have it, at least. */
  readonly records: number
}

export interface Statistics {
  readonly records: number
  readonly missing: number
  readonly minimum: string | undefined
  readonly maximum: string | undefined
  /** Characters of the longest value. */
  readonly longest: number
  /** Different values; undefined where there are more than are remembered. */
  readonly distinct: number | undefined
  /** Whether no two records share a value; undefined where that is not proven. */
  readonly isUnique: boolean | undefined
  /** The most frequent values, those that occur at least twice. */
  readonly frequent: readonly FrequentValue[]
}

/** Values that a column counts, and values that all columns remember together. */
const mostCounted = 2_000
const mostRemembered = 2_000_000
const mostShown = 5
/** Of a value that is counted or shown. */
const mostCharacters = 200

/** What the columns of one inspection may still remember. */
export class Memory {
  left = mostRemembered
}

export class ColumnStatistics {
  #records = 0
  #missing = 0
  #minimum: Value = null
  #maximum: Value = null
  #longest = 0
  /** Values that were seen, until one comes twice or memory ends. */
  #seen: Set<Value> | undefined = new Set()
  #isUnique: boolean | undefined = true
  /** Of the value before, while each is greater than the one before it: that proves them unique, too. */
  #isRising = true
  #previous: Value = null
  /** Misra and Gries: every value of more than a fraction `1 / mostCounted` of the records is among them. */
  readonly #counts = new Map<string, number>()
  #isExact = true
  readonly #memory: Memory
  readonly #isNumber: boolean

  /** `isNumber`: values that are texts are numbers, and ordered as numbers. */
  constructor(memory: Memory, isNumber: boolean) {
    this.#memory = memory
    this.#isNumber = isNumber
  }

  add(value: Value): void {
    this.#records++
    if (value === null) {
      this.#missing++
      return
    }
    if (this.#minimum === null || this.#compare(value, this.#minimum) < 0) this.#minimum = value
    if (this.#maximum === null || this.#compare(value, this.#maximum) > 0) this.#maximum = value
    const text = String(value)
    if (text.length > this.#longest) this.#longest = Math.max(this.#longest, Array.from(text).length)
    this.#isRising &&= this.#previous === null || this.#compare(value, this.#previous) > 0
    this.#previous = value
    if (this.#seen !== undefined) this.#remember(value)
    this.#count(text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text)
  }

  get result(): Statistics {
    const values = this.#records - this.#missing
    const isUnique = values === 0 ? undefined : this.#isRising ? true : this.#isUnique
    const frequent = [...this.#counts]
      .filter(([, records]) => records > 1)
      .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, mostShown)
      .map(([value, records]) => ({ value, records }))
    return {
      records: this.#records,
      missing: this.#missing,
      minimum: shownValue(this.#minimum),
      maximum: shownValue(this.#maximum),
      longest: this.#longest,
      distinct: isUnique === true ? values : this.#isExact ? this.#counts.size : undefined,
      isUnique,
      frequent: isUnique === true ? [] : frequent,
    }
  }

  #compare(a: Value, b: Value): number {
    if (!this.#isNumber) return a === b ? 0 : String(a) < String(b) ? -1 : 1
    const difference = Number(a) - Number(b)
    if (difference !== 0 || a === b) return difference
    return compareNumbers(String(a), String(b))
  }

  #remember(value: Value): void {
    const seen = this.#seen as Set<Value>
    if (seen.has(value)) this.#forget(false)
    else if (this.#memory.left === 0) this.#forget(undefined)
    else {
      seen.add(value)
      this.#memory.left--
    }
  }

  #forget(isUnique: false | undefined): void {
    this.#memory.left += this.#seen?.size ?? 0
    this.#seen = undefined
    this.#isUnique = isUnique
  }

  #count(text: string): void {
    const count = this.#counts.get(text)
    if (count !== undefined || this.#counts.size < mostCounted) {
      this.#counts.set(text, (count ?? 0) + 1)
      return
    }
    this.#isExact = false
    for (const [value, records] of this.#counts)
      if (records === 1) this.#counts.delete(value)
      else this.#counts.set(value, records - 1)
  }
}

/** Of numbers that are the same double. */
function compareNumbers(a: string, b: string): number {
  const [x = '', xs = ''] = a.split('.')
  const [y = '', ys = ''] = b.split('.')
  const scale = Math.max(xs.length, ys.length)
  if (!/^-?\d+$/.test(x) || !/^-?\d+$/.test(y)) return 0
  const difference = BigInt(x + xs.padEnd(scale, '0')) - BigInt(y + ys.padEnd(scale, '0'))
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const shownValue = (value: Value): string | undefined => {
  if (value === null) return undefined
  const text = String(value)
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text
}
