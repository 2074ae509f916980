/**
 * What a cell looks like, roughly: enough to tell a name from a value and one delimiter from another. The type
 * of a column is decided elsewhere, by every record.
 */

export type Kind =
  | 'empty'
  | 'number'
  | 'date'
  | 'time'
  | 'datetime'
  | 'boolean'
  | 'uuid'
  | 'url'
  | 'email'
  /** A word with digits, such as `A-17`. */
  | 'code'
  | 'text'

/** Written for a value that is missing. */
const missing = /^(n\/?a|#n\/a|null|nil|none|nan|\\n|[-–—.?*]|\.{2,3})$/i

const date = String.raw`(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{2,4}|\d{1,2}[- .]{0,2}[a-zäéû]{3,9}\.?[- ,]{0,2}\d{2,4}|[a-z]{3,9} \d{1,2},? \d{4})`
const time = String.raw`\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]\.?m\.?)?`

const kinds: readonly (readonly [Kind, RegExp])[] = [
  [
    'number',
    /^\(?[-+−]?\s?[$€£¥]?\s?[-+−]?(\d+|\d{1,3}([ .,'’\u00a0]\d{3})+)?([.,]?\d+)(e[-+]?\d+)?\s?[%‰€$£¥]?\)?$/i,
  ],
  ['date', new RegExp(`^${date}$`, 'i')],
  ['time', new RegExp(`^${time}$`, 'i')],
  ['datetime', new RegExp(`^${date}(T|,? )${time} ?(z|utc|gmt|[-+]\\d\\d:?(\\d\\d)?)?$`, 'i')],
  ['boolean', /^(true|false|yes|no)$/i],
  ['uuid', /^\{?[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\}?$/i],
  ['url', /^(https?|ftp|mailto|www)[:.]\S+$/i],
  ['email', /^[^\s@,;]+@[^\s@,;]+\.[a-z]{2,}$/i],
  ['code', /^\S*\d\S*$/],
]

/** Of a cell without a digit. */
const wordKinds = kinds.filter(([kind]) => kind === 'boolean' || kind === 'url' || kind === 'email')

/** Longer cells are texts: no expression is run over them. */
const longest = 60

export function kindOf(cell: string): Kind {
  const text = cell.trim()
  if (text === '' || missing.test(text)) return 'empty'
  if (text.length > longest) return 'text'
  const forms = /\d/.test(text) ? kinds : wordKinds
  return forms.find(([, form]) => form.test(text))?.[0] ?? 'text'
}

/** Kinds that a name of a column hardly has. */
export const isValue = (kind: Kind): boolean => kind !== 'empty' && kind !== 'code' && kind !== 'text'

/** Rows that are looked at: enough to know what a column holds. */
export const mostBody = 200

/** At least four fifths, and all of fewer than five. */
export const areMost = (some: number, all: number): boolean => some === all || (all >= 5 && some >= all * 0.8)

/** The kind that most values of a column have. `text` where they differ, `empty` where there is none. */
export function kindOfColumn(cells: Iterable<string>): Kind {
  const counts = new Map<Kind, number>()
  let values = 0
  for (const cell of cells) {
    const kind = kindOf(cell)
    if (kind === 'empty') continue
    values++
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  if (values === 0) return 'empty'
  const [kind, most] = [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))
  return areMost(most, values) ? kind : 'text'
}
