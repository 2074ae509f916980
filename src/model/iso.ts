/** Canonical text of dates and times. Its width is fixed, so that text order is time order. */

/** `YYYY-MM-DD`; years outside 0000 to 9999 cannot occur, because decoding refuses them. */
export function isoDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10)
}

/** The last timestamp, written in place: a template would allocate a dozen strings for each. */
const latest = Buffer.from('0000-00-00T00:00:00.000000Z')
let latestDays = Number.NaN

export const instantBytes = latest.length
/** Without the zone. */
export const timestampBytes = instantBytes - 1

/** `YYYY-MM-DDTHH:MM:SS.ffffff`, with a final `Z` for an instant. */
export function isoTimestamp(days: number, micros: number, instant: boolean): string {
  setLatest(days, micros)
  return latest.toString('latin1', 0, instant ? instantBytes : timestampBytes)
}

/** Writes the `instantBytes` bytes of an instant at `at`. */
export function writeInstant(target: Uint8Array, at: number, days: number, micros: number): void {
  setLatest(days, micros)
  target.set(latest, at)
}

/** `HH:MM:SS.ffffff` */
export const isoTime = (micros: number): string => isoTimestamp(0, micros, false).slice(11)

function setLatest(days: number, micros: number): void {
  // Consecutive records mostly share their date.
  if (days !== latestDays) {
    latest.write(isoDate(days), 0, 'latin1')
    latestDays = days
  }
  // Integers of 32 bits: where they are divided, the engine multiplies.
  const seconds = (micros / 1_000_000) | 0
  const fraction = (micros - seconds * 1_000_000) | 0
  const minutes = (seconds / 60) | 0
  const hours = (minutes / 60) | 0
  twoDigits(hours, 11)
  twoDigits(minutes - hours * 60, 14)
  twoDigits(seconds - minutes * 60, 17)
  const tenThousands = (fraction / 10_000) | 0
  const rest = fraction - tenThousands * 10_000
  const hundreds = (rest / 100) | 0
  twoDigits(tenThousands, 20)
  twoDigits(hundreds, 22)
  twoDigits(rest - hundreds * 100, 24)
}

function twoDigits(value: number, at: number): void {
  const tens = (value / 10) | 0
  latest[at] = 48 + tens
  latest[at + 1] = 48 + value - tens * 10
}
