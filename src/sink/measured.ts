/** Arithmetic of what is measured for `lading doctor`. */

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Of several rounds the fastest: what others do at the same time only adds. */
export const fastest = (times: readonly number[]): number => (times.length === 0 ? 0 : Math.min(...times))

/** Records for each second, with two digits: more would say that it is known. */
export function rateOf(msPer1000: number): number {
  const rate = 1_000_000 / Math.max(msPer1000, Number.EPSILON)
  const step = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1)
  return Math.round(rate / step) * step
}
