/** The name that `word` probably misspells; undefined if none is near. Case, `_` and `-` do not count. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const wanted = plain(word)
  // At most a third of the letters may differ; beyond that the guess would be another word.
  let least = Math.ceil(wanted.length / 3) + 1
  let best: string | undefined
  for (const name of names) {
    const distance = editDistance(wanted, plain(name))
    if (distance < least) [least, best] = [distance, name]
  }
  return best
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '')

/** Levenshtein distance, computed row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
