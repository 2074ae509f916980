/**
 * How the values of a field are written, where that is not the form that the column's type reads. Plain JSON:
 * it travels in the layout of a load, and a model may state it for a column.
 */
export interface Notation {
  /** Spaces and tabs around the value are left out; a value of nothing else is no value. */
  readonly trim?: true
  /** Texts that stand for no value, compared after trimming. */
  readonly nulls?: readonly string[]
  /** The decimal sign; by default a point, which a reading may state against what a file looks like. */
  readonly decimal?: ',' | '.'
  /**
   * What stands between groups of three digits: `.`, `,`, a space (which stands for a no-break space too), or
   * an apostrophe (straight or curved). Digits without groups are read, too.
   */
  readonly thousands?: string
  /**
   * A currency sign or code may stand before or behind the number, and a negative number may be written
   * `(12.50)` or `12.50-`. A text is the one currency that may stand there; `true` is any. A reading may say
   * `'any'`: a load without a model, which asks where a column has several, does not ask then.
   */
  readonly money?: true | string
  /** The number is followed by a percent sign: `5%` is 0.05. */
  readonly percent?: true
  /**
   * Digits behind the point that the column does not keep are rounded, halves away from zero as PostgreSQL does, instead of
   * refused: of `numeric` with a scale, and of whole numbers.
   */
  readonly round?: true
  /** A date, a time or both: `DD.MM.YYYY`, `M/D/YYYY h:mm A` … */
  readonly pattern?: string
  /** Seconds, milliseconds or microseconds since 1970-01-01 UTC, or days of Excel's 1900 calendar. */
  readonly epoch?: 's' | 'ms' | 'us' | 'excel'
  /** `="007"` is the text 007. */
  readonly excelText?: true
}

/** What a layout says of the notation of its fields. */
export interface Notations {
  /** Of every field. What it says of numbers and times holds for columns of these types. */
  readonly notation?: Notation
  /** By field. */
  readonly notations?: Readonly<Record<string, Notation>>
}
