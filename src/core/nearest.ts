/**
 * The one of `names` that `word` is most likely a slip of; undefined where none is near. Neither case nor `_`
 * and `-` count.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const wanted = plain(word)
  // A third of the letters may be wrong: with more, the guess would be another word.
  let least = Math.ceil(wanted.length / 3) + 1
  let best: string | undefined
  for (const name of names) {
    const distance = editDistance(wanted, plain(name))
    if (distance < least) [least, best] = [distance, name]
  }
  return best
}

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '')

/** How many letters must be inserted, deleted or replaced (Levenshtein), row by row of the usual table. */
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
