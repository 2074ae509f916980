/**
 * Offsets of a time zone, and the instant of a text such as `2021-01-01` there.
 *
 * A call of Intl takes about a microsecond, so offsets are cached as periods without a change. Offsets are
 * truncated to whole minutes, as ISO 8601 writes them. Zones of the nineteenth century had seconds too, but a
 * time written with the truncated offset is still the right instant.
 */
import { LadingError } from '../core/errors.ts'

export const dayMs = 86_400_000
const minuteMs = 60_000

/** A period in which a zone keeps one offset, in milliseconds; `from` is inclusive, `until` exclusive. */
export interface Period {
  readonly from: number
  readonly until: number
  readonly offset: number
}

/** A zone's offset from UTC, in milliseconds, at an instant (milliseconds since 1970). */
export type OffsetAt = (instant: number) => number

/** The offsets of an IANA zone. Throws `USAGE` for an unknown zone. */
export function offsetsOf(timezone: string): OffsetAt {
  const format = formatOf(timezone)
  return (instant) => {
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(instant)) ?? []
    // v8 ignore next -- a release of ICU that writes no +00:00
    if (sign === undefined) return 0
    return (sign === '-' ? -minuteMs : minuteMs) * (Number(hours) * 60 + Number(minutes))
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch (cause) {
    throw new LadingError(
      'USAGE',
      `there is no time zone ${JSON.stringify(timeZone)}; write it as in Asia/Taipei or UTC`,
      { cause },
    )
  }
}

/** The periods of a zone from one instant on, computed on demand. Earlier instants are not supported. */
export class Periods {
  readonly #offsetAt: OffsetAt
  readonly #known: [Period, ...Period[]]
  #at = 0

  constructor(offsetAt: OffsetAt, start: number) {
    this.#offsetAt = offsetAt
    this.#known = [{ from: start, until: start, offset: offsetAt(start) }]
  }

  /** The period of an instant; it may last longer than its `until`, which is only what is known so far. */
  at(instant: number): Period {
    if (instant < this.#current().from) this.#at = 0
    for (;;) {
      const period = this.#current()
      if (instant < period.until) return period
      if (this.#at + 1 < this.#known.length) this.#at++
      else this.#extend(period)
    }
  }

  #current(): Period {
    return this.#known[this.#at] ?? this.#known[0]
  }

  // One day at a time: no zone has ever changed its offset twice within a day.
  #extend(last: Period): void {
    const probe = last.until + dayMs
    const offset = this.#offsetAt(probe)
    const edge = offset === last.offset ? probe : this.#change(last, probe)
    this.#known[this.#known.length - 1] = { ...last, until: edge }
    if (offset !== last.offset) this.#known.push({ from: edge, until: probe, offset })
  }

  /** The first instant of the new offset, between the end of `last` and `probe`. */
  #change(last: Period, probe: number): number {
    let before = last.until
    let after = probe
    while (after - before > 1) {
      const half = Math.floor((before + after) / 2)
      if (this.#offsetAt(half) === last.offset) before = half
      else after = half
    }
    return after
  }
}

const pattern = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

/**
 * The instant of a date (midnight) or an ISO 8601 timestamp. Without an offset it is local time. An ambiguous
 * local time means its first occurrence; a missing one moves forward by the length of the gap.
 */
export function startInstant(text: string, offsetAt: OffsetAt): number {
  const match = pattern.exec(text)
  if (!match) throw badStart(text)
  const [, date = '', time = '00:00', seconds = '00', fraction = '', offset] = match
  const iso = `${date}T${time}:${seconds}.${fraction.padEnd(3, '0')}Z`
  const wall = new Date(iso)
  // JavaScript reads the 30th of February as the 2nd of March.
  if (Number.isNaN(wall.getTime()) || wall.toISOString() !== iso) throw badStart(text)
  return offset === undefined
    ? localInstant(wall.getTime(), offsetAt)
    : wall.getTime() - statedOffset(offset, text)
}

function statedOffset(offset: string, text: string): number {
  if (offset === 'Z' || offset === 'z') return 0
  const hours = Number(offset.slice(1, 3))
  const minutes = offset.length > 3 ? Number(offset.slice(-2)) : 0
  if (hours > 23 || minutes > 59) throw badStart(text)
  return (offset.startsWith('-') ? -minuteMs : minuteMs) * (hours * 60 + minutes)
}

function localInstant(wall: number, offsetAt: OffsetAt): number {
  const earlier = wall - offsetAt(wall - dayMs)
  const later = wall - offsetAt(wall + dayMs)
  const isRight = (instant: number): boolean => instant + offsetAt(instant) === wall
  return [earlier, later].sort((a, b) => a - b).find(isRight) ?? earlier
}

function badStart(text: string): LadingError {
  return new LadingError(
    'USAGE',
    `the start ${JSON.stringify(text)} is not a date or time that exists; write 2021-01-01 or 2021-01-01T08:30:00+08:00`,
  )
}
