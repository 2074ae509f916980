/** How much of a file was read right, of 10. */

export interface Reading {
  readonly header: readonly string[]
  readonly records: readonly (readonly string[])[]
}

/** Undefined for a file that was refused. */
export function scoreOf(read: Reading | undefined, right: Reading): number {
  if (read === undefined) return 0
  const rows = ({ records }: Reading) => records.map((record) => JSON.stringify(record))
  const cells = ({ records }: Reading) => records.flat()
  const measures = [
    measuresOf(read.header, right.header),
    measuresOf(rows(read), rows(right)),
    measuresOf(cells(read), cells(right)),
  ]
  return 1 + measures.flat().reduce((sum, each) => sum + each, 0)
}

/** Precision, recall, and their harmonic mean, of texts in any order. */
function measuresOf(read: readonly string[], right: readonly string[]): [number, number, number] {
  if (read.length === 0 && right.length === 0) return [1, 1, 1]
  const left = new Map<string, number>()
  for (const text of right) left.set(text, (left.get(text) ?? 0) + 1)
  let common = 0
  for (const text of read) {
    const count = left.get(text) ?? 0
    if (count === 0) continue
    left.set(text, count - 1)
    common++
  }
  if (common === 0) return [0, 0, 0]
  const precision = common / read.length
  const recall = common / right.length
  return [precision, recall, (2 * precision * recall) / (precision + recall)]
}
