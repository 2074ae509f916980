/** How the values of one field are written, as plain JSON: it travels in layouts. */
export interface Notation {
  readonly trim?: true
  readonly nulls?: readonly string[]
  readonly decimal?: ','
  readonly thousands?: string
  readonly money?: true
  readonly percent?: true
  /** Of dates and times: `DD.MM.YYYY`, `MM/DD/YYYY hh:mm A`. */
  readonly pattern?: string
  readonly epoch?: 's' | 'ms' | 'us' | 'excel'
  /** `="007"` is the text 007. */
  readonly excelText?: true
}
