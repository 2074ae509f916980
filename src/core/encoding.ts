/** Names of encodings as the WHATWG Encoding Standard has them; any that `TextDecoder` knows. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | 'iso-8859-1' | (string & {})

/** How the text of a source is written, where it is not plain UTF-8 with LF or CR LF. */
export interface TextForm {
  /** A byte order mark decides instead; UTF-8 by default. */
  readonly encoding?: Encoding
  /** `cr`: CR alone ends lines. By default LF does, and CR LF. */
  readonly lineEnd?: 'cr' | 'lf'
  /** Lines at the end that are no records; an empty line counts. */
  readonly footerLines?: number
}
