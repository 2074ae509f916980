/** Canonical text of dates and times. Its width is fixed, so that text order is time order. */

/** `YYYY-MM-DD`; years outside 0000 to 9999 cannot occur, because decoding refuses them. */
export function isoDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}

/** Written in place: a template would allocate a dozen strings per timestamp. */
const buffer = Buffer.from('0000-00-00T00:00:00.000000Z')
const withoutZone = buffer.length - 1
let lastDays = Number.NaN

/** `YYYY-MM-DDTHH:MM:SS.ffffff`, with a final `Z` for an instant. */
export function isoTimestamp(days: number, micros: number, instant: boolean): string {
  // Consecutive records mostly share their date.
  if (days !== lastDays) {
    buffer.write(isoDate(days), 0, 'latin1')
    lastDays = days
  }
  const seconds = Math.floor(micros / 1_000_000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  digits(hours, 13, 2)
  digits(minutes - hours * 60, 16, 2)
  digits(seconds - minutes * 60, 19, 2)
  digits(micros - seconds * 1_000_000, 26, 6)
  return buffer.toString('latin1', 0, instant ? buffer.length : withoutZone)
}

/** `HH:MM:SS.ffffff` */
export const isoTime = (micros: number): string => isoTimestamp(0, micros, false).slice(11)

/** Writes `count` digits that end just before `end`. */
function digits(value: number, end: number, count: number): void {
  let rest = value
  for (let at = end - 1; at >= end - count; at--) {
    const next = Math.floor(rest / 10)
    buffer[at] = 48 + rest - next * 10
    rest = next
  }
}
