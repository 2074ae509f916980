/** What an error of PostgreSQL means to us, by its SQLSTATE. */
import type pg from 'pg'
import { type Code, LadingError } from '../../core/errors.ts'
import { shownIdentifier } from './identifier.ts'

/** Also one of another copy of the driver, whose class is not ours. */
export const isDatabaseError = (error: unknown): error is pg.DatabaseError =>
  error instanceof Error && 'severity' in error && 'routine' in error

/**
 * What an error means unless it is a row's; the longest prefix wins. Codes that wait, and damage, are never a
 * row's. The others are uncertain: types, CHECK functions and triggers raise them for a single row too.
 */
const systemCodes: readonly (readonly [prefix: string, code: Code])[] = [
  ['08', 'SINK_UNAVAILABLE'],
  ['57P', 'SINK_UNAVAILABLE'], // shutdown, crash, starting up
  ['25006', 'SINK_UNAVAILABLE'], // read-only transaction: an old primary, or a standby not yet promoted
  ['40', 'SINK_BUSY'], // serialisation, deadlock
  ['40002', 'SINK_FAILED'], // integrity constraint violation
  ['55P03', 'SINK_BUSY'], // lock not available
  ['57014', 'SINK_BUSY'], // statement time-out
  ['25P03', 'SINK_BUSY'], // idle in transaction
  ['53', 'SINK_HOLD'], // disk full, out of memory, too many connections
  ['58', 'SINK_HOLD'], // I/O error
  ['28', 'SINK_REFUSED'],
  ['3D', 'SINK_REFUSED'],
  ['3F', 'SINK_REFUSED'],
  ['42501', 'SINK_REFUSED'],
  ['42', 'SCHEMA_MISMATCH'],
  ['0A', 'SCHEMA_MISMATCH'],
  ['55', 'SCHEMA_MISMATCH'],
  ['XX001', 'SINK_CORRUPT'],
  ['XX002', 'SINK_CORRUPT'],
  ['25', 'SINK_FAILED'],
  ['XX', 'SINK_FAILED'],
]

export function systemCode(sqlstate: string): Code | undefined {
  let best: readonly [string, Code] | undefined
  for (const each of systemCodes)
    if (sqlstate.startsWith(each[0]) && each[0].length > (best?.[0].length ?? 0)) best = each
  return best?.[1]
}

/**
 * Turns any error of the driver or the server into a `LadingError`. A broken connection has no SQLSTATE.
 * `role`: the role of the session.
 */
export function sinkError(error: unknown, role?: string): LadingError {
  if (error instanceof LadingError) return error
  const options = { cause: error }
  if (!isDatabaseError(error)) {
    const detail = error instanceof Error ? describeSocketError(error) : String(error)
    if (error instanceof TypeError || error instanceof RangeError)
      return new LadingError('INTERNAL', detail, options)
    const help = refusals.find(([cause]) =>
      cause.test(`${(error as NodeJS.ErrnoException).code} ${detail}`),
    )?.[1]
    if (help !== undefined) return new LadingError('SINK_REFUSED', `PostgreSQL: ${detail}${help}`, options)
    return new LadingError('SINK_UNAVAILABLE', `PostgreSQL: ${detail}`, options)
  }
  const grant = error.code === missingRight && role !== undefined ? missingGrant(error, role) : ''
  // The server's DETAIL and CONTEXT quote data; its message does so only for values, which are faults of a
  // row.
  const message = `PostgreSQL: ${error.message} (SQLSTATE ${error.code})${grant}`
  return new LadingError(systemCode(error.code ?? '') ?? 'SINK_FAILED', message, options)
}

/** What the driver itself refuses, for which waiting is no cure, and what to do about it. */
const refusals: readonly (readonly [cause: RegExp, help: string])[] = [
  [/ SASL: .* client password must be /, `; ${passwordHelp()}`],
  [/ SASL: /, ''],
  // The path of the socket can never work. With ENOENT, the server may still come up.
  [/^(ENOTDIR|EACCES|ELOOP|ENAMETOOLONG|EINVAL) /, ''],
  [/does not support SSL/, '; leave sslmode out of the URL, or turn TLS on in the server'],
  [
    /CERT|UNABLE_TO_GET_ISSUER/,
    '; sslrootcert=FILE in the URL names the authority to trust, sslmode=no-verify trusts any certificate',
  ],
]

function passwordHelp(): string {
  return 'the server asks for a password, and none was given: write user:password@ before the host, or set PGPASSWORD'
}

/** The error where the server refused a password that was not given to it. */
export function withoutPassword(error: unknown): unknown {
  if (!isDatabaseError(error) || error.code !== '28P01') return error
  return new LadingError('SINK_REFUSED', `PostgreSQL: ${error.message}; ${passwordHelp()}`, { cause: error })
}

export const missingRight = '42501'

/** The server's routine for RAISE of PL/pgSQL. */
export const raising = 'exec_stmt_raise'

export const placeIn = (where: string): string | undefined =>
  /^PL\/pgSQL function .+ line \d+ at .+$/m.exec(where)?.[0]

/** What the role needs of each kind of thing, all in all. */
const needed: Readonly<Record<string, string>> = {
  database: 'CREATE',
  schema: 'USAGE, CREATE',
  table: 'SELECT, INSERT, UPDATE',
  sequence: 'USAGE',
  function: 'EXECUTE',
  type: 'USAGE',
}

/** The server says what was refused (aclchk.c), and not to whom or what would allow it. */
function missingGrant({ message, where = '' }: pg.DatabaseError, role: string): string {
  const [, kind = '', name = ''] = /^permission denied for (\w+) (.+)$/.exec(message) ?? []
  if (!Object.hasOwn(needed, kind)) return ''
  const right =
    kind === 'table' && ledgerTables.includes(name)
      ? 'ALL ON ALL TABLES IN SCHEMA lading'
      : `${needed[kind]} ON ${kind.toUpperCase()} ${shownIdentifier(name)}`
  const allows = `; GRANT ${right} TO ${shownIdentifier(role)} allows it`
  const place = placeIn(where)
  if (place === undefined) return allows
  return `, in ${place}${allows}, or to its owner if the function is SECURITY DEFINER`
}

const ledgerTables: readonly string[] = [
  'load',
  'ledger',
  'reject',
  'dead_letter',
  'deferred',
  'foreign_write',
  'made',
  'migration',
]

function describeSocketError(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map((each: Error) => each.message).join(', ')
  return error.message === '' ? error.name : error.message
}
