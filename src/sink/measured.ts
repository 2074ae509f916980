/** What is measured for `lading doctor`. */
import { counted } from '../core/counted.ts'
import { type Finding, findingsAbout } from '../core/finding.ts'

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** With fewer rows, what a statement itself takes would be most of it. */
export const leastRows = 100

/** Of several rounds the fastest: what others do at the same time only adds. */
export const fastest = (times: readonly number[]): number => (times.length === 0 ? 0 : Math.min(...times))

/** Records for each second, with two digits: more would say that it is known. */
export function rateOf(msPer1000: number): number {
  const rate = 1_000_000 / Math.max(msPer1000, Number.EPSILON)
  const step = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1)
  return Math.round(rate / step) * step
}

/** There is not enough to measure with. */
export const tooFew = (rows: number): Finding =>
  findingsAbout('table').note(
    'speed',
    `${rows === 0 ? 'there is nothing' : `${counted(rows, 'record')} ${rows === 1 ? 'is' : 'are'} too little`} to measure with: name a file of ${leastRows} records or more`,
  )
