/** What an error of DuckDB means to us. Its driver gives nothing but a text, which begins with the kind of the error. */
import { type Code, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { fileTrouble } from '../../core/files.ts'

const kindOf = (message: string): string =>
  /^(?:FATAL Error: )?([A-Z][A-Za-z ]*?) Error: /.exec(message)?.[1] ?? ''

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** After it the file has to be opened again: what was written of the last transaction is not certain. */
export const isBroken = (error: unknown): boolean =>
  /^(?:FATAL|IO|INTERNAL|Serialization|Out of Memory) Error|Failed to commit/i.test(messageOf(error))

const lock = /Conflicting lock is held in (.*?)(?: \(PID (\d+)\))?(?: by user .*?)?\. See also/s

/** By what the text of an error about a file says. */
const fileCodes: readonly (readonly [RegExp, Code])[] = [
  [
    /No space left|not enough space|Disk quota|File too large|failed to offload|could not allocate|memory/i,
    'SINK_HOLD',
  ],
  [
    /Permission denied|Read-only file system|read-only mode|Is a directory|Not a directory|Operation not permitted/i,
    'SINK_REFUSED',
  ],
  [
    /not a valid DuckDB database|version number|corrupt|checksum|Could not read enough bytes/i,
    'SINK_CORRUPT',
  ],
]

/** By the kind of the error, where no row is at fault. */
const codes: Readonly<Record<string, Code>> = {
  Catalog: 'SCHEMA_MISMATCH',
  Binder: 'SCHEMA_MISMATCH',
  Parser: 'SCHEMA_MISMATCH',
  Dependency: 'SCHEMA_MISMATCH',
  Constraint: 'SCHEMA_MISMATCH',
  Conversion: 'SCHEMA_MISMATCH',
  'Out of Range': 'SCHEMA_MISMATCH',
  'Invalid Input': 'SCHEMA_MISMATCH',
  Serialization: 'SINK_CORRUPT',
  'Out of Memory': 'SINK_HOLD',
  TransactionContext: 'SINK_BUSY',
}

/** Turns any error of the database into a `LadingError`. */
export function sinkError(error: unknown, path: string): LadingError {
  if (error instanceof LadingError) return error
  const message = messageOf(error)
  const cause = { cause: error }
  const [, program, pid] = lock.exec(message) ?? []
  if (program !== undefined)
    return new LadingError(
      'SINK_BUSY',
      `DuckDB ${path} is open in another process (${program}${pid === undefined ? '' : `, process ${pid}`}), and DuckDB lets one process at a time open a file, even to read it`,
      cause,
    )
  if (/^FATAL Error: .*Failed to delete all rows from index/.test(message))
    return new LadingError(
      'SCHEMA_MISMATCH',
      `DuckDB ${path}: an index of the table lacks rows; drop it and create it again`,
      cause,
    )
  const detail = `DuckDB ${path}: ${withoutValues(message)}`
  return new LadingError(codeOf(error, message), detail, cause)
}

function codeOf(error: unknown, message: string): Code {
  const trouble = fileTrouble(error)
  if (trouble !== undefined)
    return trouble === 'full' ? 'SINK_HOLD' : trouble === 'refused' ? 'SINK_REFUSED' : 'SINK_UNAVAILABLE'
  const kind = kindOf(message)
  if (isBroken(error) || kind === 'IO')
    return fileCodes.find(([text]) => text.test(message))?.[1] ?? codes[kind] ?? 'SINK_UNAVAILABLE'
  return codes[kind] ?? 'INTERNAL'
}

/**
 * The first line, and of what it quotes nothing that may be a value: names of tables and files stand without quotes or in
 * double ones. A value may hold quotes and ends of lines itself, so that it ends at the last quote.
 */
const withoutValues = (message: string): string =>
  (message.split('\n\nLINE ')[0] as string)
    .replace(/(duplicate key|because key|field format:|field value) ".*"/is, '$1')
    .replace(/(?<=with value ).*/is, withoutValue)
    .replace(/(?<!\w)'(?:.*'|.*)/s, "'…'")
    .replace(/\n.*/s, '')

function withoutValue(rest: string): string {
  const end = rest.lastIndexOf("can't be cast")
  return end < 0 ? rest : `… ${rest.slice(end)}`
}

/** Kinds of errors that a row may be the reason of. */
const rowKinds: readonly string[] = [
  'Constraint',
  'Conversion',
  'Out of Range',
  'Invalid Input',
  'Invalid Type',
  'Mismatch Type',
]

const constraints: readonly (readonly [RegExp, Code, string])[] = [
  [/NOT NULL constraint/i, 'CONSTRAINT_NOT_NULL', 'the table requires a value'],
  [/CHECK constraint/i, 'CONSTRAINT_CHECK', 'a check constraint of the table refuses the row'],
  [
    /foreign key/i,
    'CONSTRAINT_FOREIGN_KEY',
    'the row refers to one that does not exist, or another one refers to it',
  ],
  [/duplicate key|unique constraint|primary key/i, 'CONSTRAINT_UNIQUE', 'another row has the same key'],
]

/** The error as the refusal of a row; undefined where it concerns the system. */
export function rowFault(error: unknown): Fault | undefined {
  const message = messageOf(error)
  if (error instanceof LadingError || !rowKinds.includes(kindOf(message))) return undefined
  const [, code, detail] = constraints.find(([text]) => text.test(message)) ?? []
  if (code !== undefined && detail !== undefined) return { code, detail }
  // The text quotes the value, which may be one that is masked.
  return { code: 'VALUE_REFUSED', detail: `the table refuses a value of the row (${kindOf(message)} Error)` }
}
