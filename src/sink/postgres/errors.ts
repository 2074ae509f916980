/** What an error of PostgreSQL says of a row. */
import type pg from 'pg'
import { type Action, type Code, codes, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import {
  isDatabaseError,
  missingRight,
  placeIn,
  raising,
  sinkError,
  systemCode,
} from '../../driver/postgres/errors.ts'

/** Codes that say which rule of the table refused a row; other codes of a row are `VALUE_REFUSED`. */
const rowCodes: Readonly<Record<string, Code>> = {
  '23502': 'CONSTRAINT_NOT_NULL',
  '23503': 'CONSTRAINT_FOREIGN_KEY',
  '23505': 'CONSTRAINT_UNIQUE',
  '23514': 'CONSTRAINT_CHECK',
  '23P01': 'CONSTRAINT_EXCLUSION',
  '44000': 'CONSTRAINT_CHECK',
}

const waiting: readonly Action[] = ['reconnect', 'retry', 'hold']

/**
 * What an error with the SQLSTATE is about; `uncertain` if only the same statement without any row shows it.
 */
function faultOf(sqlstate: string): 'system' | 'row' | 'uncertain' {
  const code = systemCode(sqlstate)
  if (code === undefined) return 'row'
  return code === 'SINK_CORRUPT' || waiting.includes(codes[code].action) ? 'system' : 'uncertain'
}

/** What PostgreSQL says of a row that a view's CHECK OPTION refuses; under row security it has no code of its own. */
const rowSecurity = '44000'
const isPolicy = ({ code, routine }: pg.DatabaseError): boolean =>
  code === missingRight && routine === 'ExecWithCheckOptions'

/**
 * A right that only a default or a trigger needs, such as that of a sequence, shows only with a row, and is no row's fault.
 * What a function raises itself under this code may be.
 */
const lacksRight = (error: pg.DatabaseError): boolean =>
  error.code === missingRight && error.routine !== raising && !isPolicy(error)

export interface RowError {
  readonly fault: Fault
  /** It is the row's only if the same statement succeeds without any row. */
  readonly uncertain: boolean
  /** 1-based number of the row within the COPY, where the server knows it. */
  readonly line: number | undefined
  /** With its schema: the table whose constraint refused the row. */
  readonly table: string | undefined
}

/** The error as the refusal of one row of a COPY into `columns`; undefined where it concerns the system. */
export function rowError(error: unknown, columns: readonly string[] = []): RowError | undefined {
  if (!isDatabaseError(error)) return undefined
  const sqlstate = isPolicy(error) ? rowSecurity : (error.code ?? '')
  const whose = faultOf(sqlstate)
  if (whose === 'system' || lacksRight(error)) return undefined
  const places = [...(error.where ?? '').matchAll(/^COPY .+?, line (\d+)(?:, column (.+))?/gm)]
  const line = places[0]?.[1]
  // The text of functions and values may look like a place. A line number is only tried out; a column's name
  // is believed only if no other is mentioned.
  const named = places.length === 1 ? columnIn(places[0]?.[2] ?? '', columns) : undefined
  const raised = named === undefined && !/^(22|23|44|54)/.test(sqlstate)
  const code = rowCodes[sqlstate] ?? (raised ? 'TRIGGER_RAISED' : 'VALUE_REFUSED')
  return {
    fault: { code, detail: `${error.message} (SQLSTATE ${error.code})`, column: error.column ?? named },
    uncertain: whose === 'uncertain',
    line: line === undefined ? undefined : Number(line),
    table: error.table === undefined ? undefined : `${error.schema}.${error.table}`,
  }
}

/** COPY's context continues with a colon and the value, or ends. */
const columnIn = (context: string, columns: readonly string[]): string | undefined =>
  columns
    .filter((name) => context === name || context.startsWith(`${name}: `))
    .toSorted((a, b) => b.length - a.length)[0]

/**
 * The error of a table whose functions refuse every row. A message that a function raises may quote a row, so
 * only the function's name is shown.
 */
export function tableError(error: unknown, detail: string): LadingError {
  const { code, message } = sinkError(error)
  const { routine, where = '', code: sqlstate } = error as pg.DatabaseError
  const what = routine === raising ? `PostgreSQL: SQLSTATE ${sqlstate}` : message
  const place = placeIn(where)
  const told = [`${detail}: ${what}`, ...(place === undefined ? [] : [place])].join(', ')
  return new LadingError(codes[code].action === 'halt' ? code : 'SCHEMA_MISMATCH', told, { cause: error })
}
