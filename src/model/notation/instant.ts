/** What was read of a date or time, in the forms of ISO 8601; without an offset it is local time. */
export interface Instant {
  /** `YYYY-MM-DD` */
  readonly date?: string | undefined
  /** `HH:MM:SS`, with digits behind a point or without. */
  readonly time?: string | undefined
  readonly offset?: string | undefined
}
