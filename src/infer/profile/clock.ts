/**
 * The time that was read last. Consecutive records mostly share its date, its offset and its length, and then
 * the time of day is all that has to be looked at.
 */
const secondsEnd = 19
const mostBytes = 40

export class LastClock {
  shapes = 0
  readonly #bytes = new Uint8Array(mostBytes)
  #length = 0

  /** Keeps `YYYY-MM-DD HH:MM:SS…`, of years in which no offset leads out of the years that there are. */
  set(bytes: Buffer, start: number, end: number, shapes: number): void {
    const length = end - start
    const isUsual = (bytes[start] === 0x31 || bytes[start] === 0x32) && bytes[start + 16] === 0x3a
    if (!isUsual || length < secondsEnd || length > mostBytes) return
    for (let at = 0; at < length; at++) this.#bytes[at] = bytes[start + at] as number
    this.#length = length
    this.shapes = shapes
  }

  /** Whether the value has another time of day at most, one that exists. */
  isLike(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#bytes
    const length = this.#length
    if (end - start !== length || length === 0) return false
    for (let at = 0; at < 11; at++) if (bytes[start + at] !== last[at]) return false
    for (let at = secondsEnd; at < length; at++) if (bytes[start + at] !== last[at]) return false
    if (bytes[start + 13] !== last[13] || bytes[start + 16] !== last[16]) return false
    return isBelow(bytes, start + 11, 24) && isBelow(bytes, start + 14, 60) && isBelow(bytes, start + 17, 60)
  }
}

/** Whether two digits are a number below the limit. */
function isBelow(bytes: Buffer, at: number, limit: number): boolean {
  const tens = (bytes[at] as number) - 48
  const ones = (bytes[at + 1] as number) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 && tens * 10 + ones < limit
}
