/** The formats that records lie in, by their layout, and those of files, by name and suffix. */
import { LadingError } from '../core/errors.ts'
import type { Layout } from '../core/load.ts'
import { csv } from './csv/csv.ts'
import type { Dialect } from './csv/dialect.ts'
import { csvSplitter } from './csv/split.ts'
import type { Format } from './format.ts'
import { json, jsonMessage, ndjson } from './json/json.ts'
import { ndjsonSplitter } from './json/lines.ts'
import { jsonSplitter } from './json/split.ts'
import type { MakeSplitter } from './split.ts'

export type { Dialect } from './csv/dialect.ts'

const formats: readonly Format[] = [csv, ndjson, json, jsonMessage]

/** How the records of external messages lie. */
export const messageLayout: Layout = { format: jsonMessage.name, fields: [] }

/** The format of a layout; undefined where none can read it, as that of a newer version. */
export const formatOf = (layout: Layout): Format | undefined =>
  formats.find((format) => format.name === (layout.format ?? csv.name) && format.accepts(layout))

export interface FormatOptions {
  /** By default the suffix of each file decides, and a file with none of the known suffixes is CSV. */
  readonly format?: FormatName
  /** How CSV is written; what is not given is the format's default. */
  readonly dialect?: Partial<Dialect>
}

interface FileFormat {
  readonly suffixes: readonly string[]
  /** Throws `USAGE` for options that cannot be right. */
  readonly splitter: (options: FormatOptions) => MakeSplitter
}

const fileFormats = {
  csv: { suffixes: ['csv'], splitter: ({ dialect = {} }) => csvSplitter(dialect) },
  tsv: { suffixes: ['tsv'], splitter: ({ dialect = {} }) => csvSplitter({ delimiter: '\t', ...dialect }) },
  ndjson: { suffixes: ['ndjson', 'jsonl'], splitter: ndjsonSplitter },
  json: { suffixes: ['json'], splitter: jsonSplitter },
} as const satisfies Readonly<Record<string, FileFormat>>

export type FormatName = keyof typeof fileFormats

export const formatNames = Object.keys(fileFormats) as readonly FormatName[]

/** Suffixes of the files that a folder is searched for. */
export const suffixesOf = (format: FormatName = 'csv'): readonly string[] => fileFormats[format].suffixes

/** Makes splitters; throws `USAGE` for options that cannot be right, before any source is opened. */
export function splittersFor(options: FormatOptions): MakeSplitter {
  const { format } = options
  if (format !== undefined && !formatNames.includes(format))
    throw new LadingError('USAGE', `format is ${formatNames.join(', ')}, and not ${JSON.stringify(format)}`)
  const splitters = new Map(formatNames.map((name) => [name, fileFormats[name].splitter(options)]))
  return (path, expected) => (splitters.get(format ?? formatOfPath(path)) as MakeSplitter)(path, expected)
}

function formatOfPath(path: string): FormatName {
  const suffix = /\.([^./\\]+)(\.gz|\.zst)?$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return formatNames.find((name) => suffixesOf(name).includes(suffix)) ?? 'csv'
}
