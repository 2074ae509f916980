/** What an error of the server or the driver means to us, by its number. */
import { type Action, type Code, codes, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import type { Session } from './session.ts'

interface ServerError extends Error {
  /** Of mysqld_error.h. */
  readonly errno: number
  readonly sqlState: string
}

/** Also errors of the driver have numbers, below zero. */
export const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error && 'sqlState' in error && 'errno' in error && Number(error.errno) > 0

/** ER_DUP_ENTRY */
const duplicateEntry = 1062

export const isDuplicate = (error: unknown): boolean => isServerError(error) && error.errno === duplicateEntry

/** ER_NOT_ALLOWED_COMMAND, ER_CLIENT_LOCAL_FILES_DISABLED, ER_LOAD_INFILE_CAPABILITY_DISABLED */
const localRefused: readonly number[] = [1148, 3948, 4166]

/** LOAD DATA LOCAL is not allowed. */
export const isLocalRefused = (error: unknown): boolean =>
  isServerError(error) && localRefused.includes(error.errno)

/**
 * What an error means unless it is a row's. Codes that wait, and damage, are never a row's. The others are uncertain:
 * triggers and functions raise them for a single row too.
 */
const numbers: readonly (readonly [Code, readonly number[]])[] = [
  ['SINK_UNAVAILABLE', [1053, 1077, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1290, 1836, 1927, 1047, 4031]],
  ['SINK_BUSY', [1020, 1205, 1213, 1317, 1412, 1615, 1969, 3024, 3572]],
  ['SINK_HOLD', [1021, 1026, 1037, 1038, 1040, 1041, 1114, 1203, 1206, 1226]],
  [
    'SINK_REFUSED',
    [1044, 1045, 1049, 1129, 1130, 1142, 1143, 1227, 1251, 1275, 1370, 1665, 1698, 1820, 1862, 3159],
  ],
  [
    'SCHEMA_MISMATCH',
    [1050, 1054, 1060, 1061, 1064, 1067, 1071, 1072, 1101, 1117, 1118, 1136, 1146, 1170, 1286, 1305],
  ],
  ['SINK_CORRUPT', [1034, 1035, 1194, 1195, 1712]],
]

/** Below it are the numbers of engines and of the system, as those of temporary tables for which there is no space. */
const leastOfServer = 1000
/** ER_CANT_CREATE_FILE and others, that tell the system's number in their text. */
const tellingErrno: readonly number[] = [1004, 1005, 1006, 1016, 1025, 1030]
/** ENOSPC, EDQUOT */
const noSpace = /(?:errno:|error) (?:28|122)\b/i

const systemCode = ({ errno, message }: ServerError): Code | undefined =>
  errno < leastOfServer || (tellingErrno.includes(errno) && noSpace.test(message))
    ? 'SINK_HOLD'
    : numbers.find(([, all]) => all.includes(errno))?.[0]

/** Codes of the driver and the system for which waiting is no cure: how the user authenticates, the path of a socket. */
const refusals: readonly string[] = [
  'AUTH_SWITCH_PLUGIN_ERROR',
  'MYSQL_CLEAR_PASSWORD_NOT_ENABLED',
  'ENOTDIR',
  'EACCES',
  'ELOOP',
  'ENAMETOOLONG',
]

/** The driver gives every error of a TLS handshake one code, also that of a connection which breaks. */
const isDistrusted = (code: string, message: string): boolean =>
  code === 'HANDSHAKE_SSL_ERROR' && /certificate|altnames/i.test(message)

/** Turns any error of the driver or the server into a `LadingError`. */
export function sinkError(error: unknown): LadingError {
  if (error instanceof LadingError) return error
  const options = { cause: error }
  const message = error instanceof Error ? error.message : String(error)
  if (isServerError(error)) {
    const code = systemCode(error) ?? 'SINK_FAILED'
    return new LadingError(code, `MariaDB or MySQL: ${message} (${error.errno})`, options)
  }
  if (error instanceof TypeError || error instanceof RangeError)
    return new LadingError('INTERNAL', message, options)
  const { code = '' } = error as NodeJS.ErrnoException
  const detail = `MariaDB or MySQL: ${message === '' ? code : message}`
  if (refusals.includes(code)) return new LadingError('SINK_REFUSED', detail, options)
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT' || isDistrusted(code, message))
    return new LadingError(
      'SINK_REFUSED',
      `${detail}; ssl-ca=FILE in the URL names the authority to trust, ssl-mode=REQUIRED trusts any certificate`,
      options,
    )
  return new LadingError('SINK_UNAVAILABLE', detail, options)
}

/** Numbers that say which rule of the table refused a row; others of a row are `VALUE_REFUSED`. */
const rowNumbers: readonly (readonly [Code, readonly number[]])[] = [
  ['CONSTRAINT_UNIQUE', [duplicateEntry, 1022, 1169, 1586]],
  ['CONSTRAINT_NOT_NULL', [1048, 1263, 1364]],
  ['CONSTRAINT_CHECK', [3819, 4025]],
  ['CONSTRAINT_FOREIGN_KEY', [1216, 1217, 1451, 1452, 1761]],
  ['TRIGGER_RAISED', [1644]],
  ['VALUE_REFUSED', [1264, 1265, 1292, 1366, 1367, 1406, 1411, 1416, 1690, 3140, 3156]],
]

const rowCode = (errno: number): Code | undefined => rowNumbers.find(([, all]) => all.includes(errno))?.[0]

/** A row of SHOW WARNINGS. */
interface Warning {
  readonly Level: 'Error' | 'Warning' | 'Note'
  readonly Code: number
  readonly Message: string
}

/** A row was refused by what a statement warned of. */
export class Refused extends Error {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.detail)
    this.fault = fault
  }

  /** After a statement that succeeded and warned. */
  static async byWarnings(session: Session, columns: readonly string[]): Promise<Refused> {
    // v8 ignore next -- see the staging table, which keeps what the table keeps
    return new Refused((await warningFault(session, 0, 0, columns)).fault)
  }
}

export interface LoadFault {
  readonly fault: Fault
  /** Number, from 0, of the row, where the server knows it. */
  readonly row: number | undefined
}

/** What the warnings of the statement before say of the first row that is at fault. */
export async function warningFault(
  session: Session,
  taken: number,
  sent: number,
  columns: readonly string[],
): Promise<LoadFault> {
  const listed = (await session.query('SHOW WARNINGS')) as unknown as readonly Warning[]
  const first = listed.find(({ Level }) => Level !== 'Note') ?? listed[0]
  // v8 ignore next -- the server warns of each row that it leaves out
  if (first === undefined) {
    const detail = `the database took ${taken} rows of ${sent} without an error`
    return { fault: { code: 'TRIGGER_RAISED', detail }, row: undefined }
  }
  const line = /at row (\d+)$/.exec(first.Message)?.[1]
  return {
    fault: faultOf(first.Code, rowCode(first.Code) ?? 'VALUE_REFUSED', first.Message, columns),
    row: line === undefined ? undefined : Number(line) - 1,
  }
}

/** The server quotes the value in most of its messages, and the place in the statement, which nobody knows. */
function faultOf(errno: number, code: Code, message: string, columns: readonly string[]): Fault {
  const detail = message
    .replace(/^(Duplicate entry) '.*' (for key .*)$/s, '$1 $2')
    .replace(/^(Incorrect [\w ]+ value): '.*' (for column .*)$/s, '$1 $2')
    .replace(/^(Truncated incorrect [\w ]+ value): '.*'$/s, '$1')
    .replace(/ at row \d+$/, '')
  const named = errno === 1644 ? undefined : columnIn(detail, columns)
  return { code, detail: `${detail} (${errno})`, column: named }
}

/** The text of a value may look like a column's name, so that it is taken out before. */
function columnIn(detail: string, columns: readonly string[]): string | undefined {
  const name = /[Cc]olumn (?:(?:`[^`]*`|"[^"]*")\.)*['`"](.+?)['`"](?: cannot be null)?$/.exec(detail)?.[1]
  return columns.find((column) => column === name)
}

const waiting: readonly Action[] = ['reconnect', 'retry', 'hold']

export interface RowError {
  readonly fault: Fault
  /** It is the row's only if the same statement succeeds without any row. */
  readonly isUncertain: boolean
}

/** The error as the refusal of one row; undefined where it concerns the system. */
export function rowError(error: unknown, columns: readonly string[]): RowError | undefined {
  if (error instanceof Refused) return { fault: error.fault, isUncertain: false }
  if (!isServerError(error)) return undefined
  const { errno, sqlState, message } = error
  const known = rowCode(errno)
  if (known !== undefined) return { fault: faultOf(errno, known, message, columns), isUncertain: false }
  const system = systemCode(error)
  if (system !== undefined && (system === 'SINK_CORRUPT' || waiting.includes(codes[system].action)))
    return undefined
  const isData = /^(22|23|45)/.test(sqlState)
  return { fault: faultOf(errno, 'TRIGGER_RAISED', message, columns), isUncertain: !isData }
}

/** The error of a table whose triggers refuse every row. */
export function tableError(error: unknown): LadingError {
  const { code } = sinkError(error)
  const what = isServerError(error) ? `error ${error.errno}` : 'an error'
  return new LadingError(
    codes[code].action === 'halt' ? code : 'SCHEMA_MISMATCH',
    `every row is refused with the same error, so it is the fault of a trigger or a function of the table: ${what}`,
    { cause: error },
  )
}
