/** The formats that records lie in, by their layout, and those of files, by name and suffix. */
import { LadingError } from '../core/errors.ts'
import type { Layout } from '../core/load.ts'
import { parsePath } from '../core/path.ts'
import { csv } from './csv/csv.ts'
import { defaultDialect, plainDialect, type RecordDialect, type StatedDialect } from './csv/dialect.ts'
import { LoneCr } from './csv/lone-cr.ts'
import { csvSplitter } from './csv/split.ts'
import type { Format } from './format.ts'
import { type Inside, insideKeys } from './json/inside.ts'
import { json, jsonMessage, ndjson } from './json/json.ts'
import { ndjsonSplitter } from './json/lines.ts'
import { jsonSplitter } from './json/split.ts'
import { type Envelope, envelopes, isEnvelope } from './json/unwrap.ts'
import type { ExpectedFields, MakeSplitter, Splitter } from './split.ts'

export type { Dialect, StatedDialect } from './csv/dialect.ts'
export { type Envelope, envelopes } from './json/unwrap.ts'

const formats = [csv, ndjson, json, jsonMessage]

/** How one record of an external message lies, and a message whose records stand in no other object. */
export const messageLayout: Layout = { format: jsonMessage.name, fields: [] }

/** Where the records of JSON stand, if each is not an object by itself. */
export interface InsideOptions {
  /** The path to them, inside of other objects: `data[]`. */
  readonly records?: string | undefined
  /** The envelopes around them, the outermost first. */
  readonly unwrap?: readonly (Envelope | (string & {}))[] | undefined
}

/** How the records of external messages lie. Throws `USAGE` for what cannot be read. */
export function messagesLayout(options: InsideOptions): Layout {
  const keys = insideKeys(insideFor(options))
  return Object.keys(keys).length === 0 ? messageLayout : { ...messageLayout, ...keys }
}

function insideFor({ records, unwrap = [] }: InsideOptions): Inside {
  const other = unwrap.find((name) => !isEnvelope(name))
  if (other !== undefined)
    throw new LadingError(
      'USAGE',
      `unwrap (--unwrap) is ${envelopes.join(', ')}, and not ${JSON.stringify(other)}`,
    )
  const path = records === undefined ? undefined : parsePath(records)
  if (records !== undefined && path === undefined) {
    const forms = 'data[], Records[].s3, or with quotes \'"odd.name"[]\''
    throw new LadingError(
      'USAGE',
      `records (--records) is a path such as ${forms}, and not ${JSON.stringify(records)}`,
    )
  }
  // The array that a message or a file is by itself.
  return { path: path?.[0] === null ? path.slice(1) : path, unwrap: unwrap as readonly Envelope[] }
}

/** The format of a layout; undefined where none can read it, as that of a newer version. */
export const formatOf = (layout: Layout): Format | undefined =>
  formats.find((format) => format.name === (layout.format ?? csv.name) && format.accepts(layout))

/** How the records of a file are written, as far as its format asks. */
export interface FormatOptions extends InsideOptions {
  /** By default the suffix of each file decides, and a file with none of the known suffixes is CSV. */
  readonly format?: FormatName | (string & {})
  /** How CSV is written; what is not given is the format's default. */
  readonly dialect?: StatedDialect
}

/** How files of a format are found and split. */
export interface FileFormat {
  readonly suffixes: readonly string[]
  /** Of a format with cells; a CR in its quotes ends no line. */
  readonly dialect?: (options: FormatOptions) => RecordDialect
  /** Throws `USAGE` for options that cannot be right. */
  readonly splitter: (options: FormatOptions) => MakeSplitter
}

/** `skipLines` → `skip-lines`. */
export const kebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** A format that is written in one way only: refuses how CSV is written, where `--format` names this one. */
const plain =
  (name: string, make: (inside: Inside) => MakeSplitter): FileFormat['splitter'] =>
  ({ format, dialect = {}, ...options }) => {
    const given = Object.entries(dialect).find(([, value]) => value !== undefined)
    if (format === name && given !== undefined) {
      const flag = `--${given[1] === false ? 'no-' : ''}${kebab(given[0])}`
      throw new LadingError('USAGE', `${given[0]} (${flag}) is for CSV and TSV; format ${name} has none`)
    }
    return make(insideFor(options))
  }

/** A format whose records stand in nothing else. */
const flat =
  (make: (dialect: StatedDialect) => MakeSplitter): FileFormat['splitter'] =>
  ({ format, dialect = {}, records, unwrap }) => {
    const given = records === undefined ? unwrap && 'unwrap' : 'records'
    if (format !== undefined && given !== undefined && ['csv', 'tsv'].includes(format))
      throw new LadingError('USAGE', `${given} (--${given}) is for JSON and NDJSON, and not for ${format}`)
    return make(dialect)
  }

const shipped = {
  csv: {
    suffixes: ['csv'],
    splitter: flat((dialect) => csvSplitter(dialect)),
    dialect: ({ dialect = {} }) => ({ ...defaultDialect, ...plainDialect(dialect) }),
  },
  tsv: {
    suffixes: ['tsv'],
    splitter: flat((dialect) => csvSplitter({ delimiter: '\t', ...dialect })),
    dialect: ({ dialect = {} }) => ({ ...defaultDialect, delimiter: '\t', ...plainDialect(dialect) }),
  },
  ndjson: { suffixes: ['ndjson', 'jsonl'], splitter: plain('ndjson', ndjsonSplitter) },
  json: { suffixes: ['json'], splitter: plain('json', jsonSplitter) },
} as const satisfies Readonly<Record<string, FileFormat>>

/** A format that ships, or one that `addFormat` has added. */
export type FormatName = keyof typeof shipped

export const formatNames = Object.keys(shipped) as readonly FormatName[]

const fileFormats = new Map<string, FileFormat>(Object.entries(shipped))

/**
 * Makes a format known to this process, under its name. Every process that produces or consumes it does so
 * before; the module of the model is a good place.
 */
export function addFormat(format: Format, files: FileFormat): void {
  if (fileFormats.has(format.name)) throw new LadingError('USAGE', `there is a format ${format.name} already`)
  formats.push(format)
  fileFormats.set(format.name, files)
}

/** Suffixes of the files that a folder is searched for. */
export const suffixesOf = (format = 'csv'): readonly string[] => fileFormats.get(format)?.suffixes ?? []

/** Suffixes of all other formats. */
export const otherSuffixes = (format = 'csv'): readonly string[] =>
  [...fileFormats.keys()].filter((name) => name !== format).flatMap((name) => suffixesOf(name))

/** Makes splitters; throws `USAGE` for options that cannot be right, before any source is opened. */
export function splittersFor(options: FormatOptions): MakeSplitter {
  const { format } = options
  if (format !== undefined && !fileFormats.has(format)) {
    const names = [...fileFormats.keys()].join(', ')
    throw new LadingError('USAGE', `format is ${names}, and not ${JSON.stringify(format)}`)
  }
  const splitters = new Map([...fileFormats].map(([name, { splitter }]) => [name, splitter(options)]))
  return (path, expected) => (splitters.get(format ?? formatOfPath(path)) as MakeSplitter)(path, expected)
}

/** The splitter of one source; the options have been checked by `splittersFor`, or are checked now. */
export function splitterFor(options: FormatOptions, path: string, expected: ExpectedFields): Splitter {
  const files = fileFormats.get(options.format ?? formatOfPath(path))
  return files === undefined ? splittersFor(options)(path, expected) : files.splitter(options)(path, expected)
}

/** Makes what turns CR alone into the line ends of a source. */
export function lineEndsFor(path: string, options: FormatOptions): () => LoneCr {
  const { dialect } = fileFormats.get(options.format ?? formatOfPath(path)) ?? {}
  const cells = dialect?.(options) ?? { delimiter: '\n', quote: '' }
  return () => new LoneCr(cells)
}

/** By the suffix, of a URL without its parameters. */
export function formatOfPath(path: string): string {
  const place = path.includes('://') ? path.replace(/\?[^?/]*=[^?]*$/, '') : path
  const suffix = /\.([^./\\]+)(\.gz|\.zst)?$/i.exec(place)?.[1]?.toLowerCase() ?? ''
  return [...fileFormats.keys()].find((name) => suffixesOf(name).includes(suffix)) ?? 'csv'
}
