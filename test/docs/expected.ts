/** What a page shows of an output, held against the output. */

/**
 * The first line that is shown and not printed, or printed where the page shows an end; undefined where all
 * fits. `…` stands for what varies: within a line for any text, alone for any lines.
 */
export function firstMisfit(shown: readonly string[], printed: readonly string[]): string | undefined {
  const wanted = shown.map(plain).filter((line, index, all) => line !== '' || index < all.length - 1)
  const lines = printed.map(plain)
  while (lines.at(-1) === '') lines.pop()
  let at = 0
  let isFree = false
  for (const want of wanted) {
    if (want === '…') {
      isFree = true
      continue
    }
    const pattern = patternOf(want)
    const found = isFree ? lines.findIndex((line, index) => index >= at && pattern.test(line)) : at
    if (found < 0 || !pattern.test(lines[found] ?? '\0')) return want
    at = found + 1
    isFree = false
  }
  return isFree || at === lines.length ? undefined : `(no further line) ${lines[at]}`
}

/** Without the time of a log entry and how long something took. A caret keeps its place. */
function plain(line: string): string {
  const text = line
    .trimEnd()
    .replace(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z /, '')
    .replaceAll(/ in [\d.]+ m?s\b( \([\d,]+ records\/s\))?/g, '')
  return /^[\s|^]*$/.test(text) ? text : text.trim().replaceAll(/ {2,}/g, ' ')
}

const patternOf = (text: string): RegExp => new RegExp(`^${text.split('…').map(escaped).join('.*')}$`, 's')

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
