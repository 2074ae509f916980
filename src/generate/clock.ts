/**
 * Writes instants as `2021-01-01T00:00:00.000+08:00`, 29 bytes, with the zone's offset at that instant.
 * Within a local day it writes only the time, by arithmetic. It creates a `Date` once a day, or when the
 * offset changes.
 */
import { dayMs, type Periods } from './zone.ts'

export const timeLength = 29

const zero = 48

export class Clock {
  readonly #periods: Periods
  // The period for which the text already has the date and offset, and the instant of its local midnight.
  #from = 0
  #until = 0
  #midnight = 0

  constructor(periods: Periods) {
    this.#periods = periods
  }

  /** Writes an instant into the first 29 bytes. After the first call, they must hold the previous result. */
  write(text: Uint8Array, instant: number): void {
    if (instant < this.#from || instant >= this.#until) this.#turn(text, instant)
    let rest = (instant - this.#midnight) | 0
    const hour = (rest / 3_600_000) | 0
    rest -= hour * 3_600_000
    const minute = (rest / 60_000) | 0
    rest -= minute * 60_000
    const second = (rest / 1000) | 0
    rest -= second * 1000
    pair(text, 11, hour)
    pair(text, 14, minute)
    pair(text, 17, second)
    const hundreds = (rest / 100) | 0
    text[20] = zero + hundreds
    pair(text, 21, rest - hundreds * 100)
  }

  #turn(text: Uint8Array, instant: number): void {
    const { from, until, offset } = this.#periods.at(instant)
    const local = instant + offset
    this.#midnight = Math.floor(local / dayMs) * dayMs - offset
    this.#from = Math.max(from, this.#midnight)
    this.#until = Math.min(until, this.#midnight + dayMs)
    const whole = new Date(local).toISOString().slice(0, 23) + offsetText(offset)
    for (let i = 0; i < timeLength; i++) text[i] = whole.charCodeAt(i)
  }
}

function pair(text: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0
  text[at] = zero + tens
  text[at + 1] = zero + value - tens * 10
}

function offsetText(offset: number): string {
  const minutes = Math.abs(offset) / 60_000
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
