/**
 * Offsets of IANA time zones, and unambiguous conversion of local times. Times are seconds since 1970-01-01.
 */

const day = 86_400

export type LocalTime =
  | { readonly kind: 'instant'; readonly offset: number }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'missing' }

/** One zone. Caches lookups, because a call of Intl takes microseconds. */
export class Zone {
  readonly #format: Intl.DateTimeFormat
  readonly #steadyDays = new Map<number, number | undefined>()

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
  }

  /** The offset east of UTC, in seconds, of a local time written as if it were UTC. */
  resolve(local: number): LocalTime {
    const localDay = Math.floor(local / day)
    let steady = this.#steadyDays.get(localDay)
    if (steady === undefined && !this.#steadyDays.has(localDay)) {
      steady = this.#steadyOffset(localDay)
      // v8 ignore next -- three centuries of days in one run, and only its memory would tell
      if (this.#steadyDays.size > 100_000) this.#steadyDays.clear()
      this.#steadyDays.set(localDay, steady)
    }
    return steady === undefined ? this.#resolveNearChange(local) : { kind: 'instant', offset: steady }
  }

  /**
   * The offset of a whole local day; undefined if it changes on that day or next to it. No zone is more than
   * a day away from UTC.
   */
  #steadyOffset(localDay: number): number | undefined {
    const before = this.offsetAt((localDay - 1) * day)
    return this.offsetAt((localDay + 2) * day) === before ? before : undefined
  }

  #resolveNearChange(local: number): LocalTime {
    const offsets = new Set([this.offsetAt(local - day), this.offsetAt(local), this.offsetAt(local + day)])
    const valid = [...offsets].filter((offset) => this.offsetAt(local - offset) === offset)
    const [offset] = valid
    if (offset === undefined) return { kind: 'missing' }
    return valid.length > 1 ? { kind: 'ambiguous' } : { kind: 'instant', offset }
  }

  /** The offset at an instant. */
  offsetAt(instant: number): number {
    const parts: Record<string, string> = {}
    for (const { type, value } of this.#format.formatToParts(new Date(instant * 1000))) parts[type] = value
    const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year'])
    const local = new Date(0)
    local.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']))
    local.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']))
    return Math.round(local.getTime() / 1000 - instant)
  }
}
