/** Files of kinds that are not read, by their first bytes: each is named, with what makes it readable. */
import { type Code, LadingError } from '../../core/errors.ts'

/** Enough of a file to know it. */
export const signatureBytes = 512

interface Kind {
  readonly name: string
  readonly isIt: RegExp
  readonly code: Extract<Code, 'SOURCE_COMPRESSED' | 'SOURCE_FORMAT'>
  /** Behind that of what was packed. */
  readonly suffix?: string
  /** A command that writes its content to standard output. */
  readonly unpack?: string
  /** The format that the command writes, where the name of the file does not tell. */
  readonly format?: string
  /** What else to do. */
  readonly how?: string
}

const packed = (name: string, suffix: string, isIt: RegExp, unpack: string): Kind => ({
  name,
  suffix,
  isIt,
  unpack,
  code: 'SOURCE_COMPRESSED',
})

const other = (name: string, isIt: RegExp, to: Omit<Kind, 'name' | 'isIt' | 'code'>): Kind => ({
  name,
  isIt,
  code: 'SOURCE_FORMAT',
  ...to,
})

const ofWorkbook = { how: 'save its sheet as CSV, or: libreoffice --headless --convert-to csv FILE' }
const byDuckDb = (read: string) => `duckdb -csv -c "FROM ${read}('FILE')"`

// The first bytes of formats are control characters, mostly.
/* oxlint-disable no-control-regex */
const kinds: readonly Kind[] = [
  packed('bzip2', 'bz2', /^BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)/, 'bzip2 -dc FILE'),
  packed('xz', 'xz', /^\xfd7zXZ\0/, 'xz -dc FILE'),
  packed('lz4', 'lz4', /^\x04\x22\x4d\x18/, 'lz4 -dc FILE'),
  packed('7z', '7z', /^7z\xbc\xaf\x27\x1c/, '7z x -so FILE'),
  packed('compress', 'Z', /^\x1f\x9d/, 'gzip -dc FILE'),
  packed('a tar archive', 'tar', /^[^]{257}ustar/, 'tar -xOf FILE'),
  other(
    'a workbook of Excel (.xlsx)',
    /^PK\x03\x04[^]{26}(\[Content_Types\]\.xml|_rels\/|xl\/|docProps\/)/,
    ofWorkbook,
  ),
  other(
    'a spreadsheet of LibreOffice (.ods)',
    /^PK\x03\x04[^]{26}mimetype[^]{0,64}application\/vnd\.oasis\.opendocument\.spreadsheet/,
    ofWorkbook,
  ),
  packed(
    'a ZIP archive (or a workbook of a spreadsheet, which is to be saved as CSV)',
    'zip',
    /^PK(\x03\x04|\x05\x06)/,
    'unzip -p FILE',
  ),
  other('a workbook of an old Excel (.xls)', /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/, ofWorkbook),
  // Names of columns may begin so, and no control characters follow those.
  other('Parquet', /^PAR1($|[^]*[\x00-\x08\x0e-\x1f])/, { unpack: byDuckDb('read_parquet'), format: '' }),
  other('Avro', /^Obj\x01/, { unpack: 'avro-tools tojson FILE', format: 'ndjson' }),
  other('ORC', /^ORC[^]*[\x00-\x08\x0e-\x1f]/, { unpack: 'orc-contents FILE', format: 'ndjson' }),
  other('a database of SQLite', /^SQLite format 3\0/, {
    unpack: "sqlite3 -header -csv FILE 'SELECT * FROM TABLE'",
    format: '',
  }),
  other('a PDF', /^%PDF-/, { how: 'export its table as CSV from the program that made it' }),
  other('a web page (HTML)', /^(\xef\xbb\xbf)?\s*<(!doctype html|html[\s>])/i, {
    how: 'get the data behind it; a download that needs a login often ends in such a page',
  }),
  other('XML', /^(\xef\xbb\xbf)?\s*<\?xml[\s]/, {
    unpack: 'yq -p xml -o json FILE',
    format: 'json',
    how: '--records PATH leads to its records',
  }),
]

/* oxlint-enable no-control-regex */

/** Of files that are packed in a way that is not read. */
export const packedSuffixes = kinds.flatMap(({ suffix }) => suffix ?? [])

/** How to load on standard input, which is CSV unless told otherwise. */
const loadInput = (format: string): string => `lading load -${format === '' ? '' : ` --format ${format}`}`

/** The format of what `path` holds, by its inner suffix. */
export function innerFormat(path: string): string {
  const suffix = /\.(json|ndjson|jsonl|tsv)(\.[^./\\]+)?$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return suffix === 'jsonl' ? 'ndjson' : suffix
}

/** Throws for a file that begins with these bytes and is of a kind that is not read. */
export function refuseForeign(path: string, start: Uint8Array): void {
  const text = Buffer.from(start.subarray(0, signatureBytes)).toString('latin1')
  const kind = kinds.find(({ isIt }) => isIt.test(text))
  if (kind === undefined) return
  const { code, name, unpack, format = innerFormat(path), how } = kind
  const command = unpack === undefined ? [] : [`${unpack} | ${loadInput(format)}`]
  throw new LadingError(
    code,
    `${path} is ${name}, which is not read: ${[...command, ...(how === undefined ? [] : [how])].join('; ')}`,
  )
}
