/** The formats of files, by name and by suffix. */
import { LadingError } from '../core/errors.ts'
import type { Dialect } from './csv/dialect.ts'
import { csvSplitter } from './csv/split.ts'
import type { MakeSplitter } from './split.ts'

export type { Dialect } from './csv/dialect.ts'

export type FormatName = 'csv' | 'tsv'

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

const formats: Readonly<Record<FormatName, FileFormat>> = {
  csv: { suffixes: ['csv'], splitter: ({ dialect = {} }) => csvSplitter(dialect) },
  tsv: { suffixes: ['tsv'], splitter: ({ dialect = {} }) => csvSplitter({ delimiter: '\t', ...dialect }) },
}

export const formatNames = Object.keys(formats) as readonly FormatName[]

/** Suffixes of the files that a folder is searched for. */
export const suffixesOf = (format: FormatName = 'csv'): readonly string[] => formats[format].suffixes

/** Makes splitters; throws `USAGE` for options that cannot be right, before any source is opened. */
export function splittersFor(options: FormatOptions): MakeSplitter {
  const { format } = options
  if (format !== undefined && !formatNames.includes(format))
    throw new LadingError('USAGE', `format is ${formatNames.join(', ')}, and not ${JSON.stringify(format)}`)
  const splitters = new Map(formatNames.map((name) => [name, formats[name].splitter(options)]))
  return (path, expected) => (splitters.get(format ?? formatOfPath(path)) as MakeSplitter)(path, expected)
}

function formatOfPath(path: string): FormatName {
  const suffix = /\.([^./\\]+)(\.gz|\.zst)?$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return formatNames.find((name) => formats[name].suffixes.includes(suffix)) ?? 'csv'
}
