/** The types of columns. */
import { type CellDecoder, type Column, columnType, type ColumnType } from './column.ts'
import { arrayDecoder, arrayText, type Elements } from './decode/array.ts'
import { bytesDecoder, type BytesEncoding, bytesOf } from './decode/bytes.ts'
import { decodeBigint, decodeDouble, decodeInteger, numericDecoder } from './decode/number.ts'
import {
  decodeBoolean,
  decodeCustom,
  decodeJson,
  decodeText,
  decodeUuid,
  enumerationDecoder,
  varcharDecoder,
} from './decode/text.ts'
import {
  decodeDate,
  decodeTime,
  decodeTimestamp,
  timestamptzDecoder,
  zonedTimestampDecoder,
} from './decode/time.ts'

export * from './column.ts'

/** A type without arguments. */
function plain(kind: string, decode: CellDecoder): () => ColumnType {
  const type = { kind, decoder: () => decode }
  return () => type
}

/** Unicode text of any length. */
export const text = columnType<string>('text', plain('text', decodeText))
/** Unicode text of at most `length` characters (code points). */
export const varchar = columnType<string, [length: number]>('varchar', (length) => ({
  kind: 'varchar',
  length,
  decoder: () => varcharDecoder(length),
}))
/** Whole number, 32 bits. */
export const integer = columnType<number>('integer', plain('integer', decodeInteger))
/** Whole number, 64 bits. */
export const bigint = columnType<bigint>('bigint', plain('bigint', decodeBigint))
/** IEEE 754 double; refuses NaN and infinities. */
export const doublePrecision = columnType<number>('doublePrecision', plain('double', decodeDouble))
/**
 * Exact decimal number of at most `precision` digits, `scale` of them after the point; by default any number.
 */
export const numeric = columnType<string, [precision?: number, scale?: number]>(
  'numeric',
  (precision, scale) => ({
    kind: 'numeric',
    precision,
    scale,
    decoder: () => numericDecoder(precision, scale),
  }),
)
/** true/false, t/f, yes/no, y/n, on/off, 1/0, in any case. */
export const boolean = columnType<boolean>('boolean', plain('boolean', decodeBoolean))
/** Calendar date, YYYY-MM-DD. */
export const date = columnType<string>('date', plain('date', decodeDate))
/** Date and time without a zone, to the microsecond. Refuses text with a zone. */
export const timestamp = columnType<string>('timestamp', () => ({
  kind: 'timestamp',
  decoder: (zone) => (zone === undefined ? decodeTimestamp : zonedTimestampDecoder(zone)),
}))
/**
 * Instant, to the microsecond. Refuses text without an offset, unless `zone` (an IANA name, or an offset such
 * as `+02:00`) gives its time zone.
 */
export const timestamptz = columnType<string, [options?: { readonly zone?: string }]>(
  'timestamptz',
  (options) => ({
    kind: 'timestamptz',
    zone: options?.zone,
    decoder: (zone = options?.zone) => timestamptzDecoder(zone),
  }),
)
/** Time of day without a zone, to the microsecond: HH:MM[:SS[.ffffff]], and 24:00. */
export const time = columnType<string>('time', () => ({
  kind: 'timeOfDay',
  sql: 'time',
  decoder: () => decodeTime,
}))
/** A span of time. Values are sent as text; only the database validates them. */
export const interval = columnType<string>('interval', () => ({
  kind: 'custom',
  sql: 'interval',
  decoder: () => decodeCustom,
}))
/** Bytes: `\\x48656c6c6f` as PostgreSQL writes them, or in the encoding that is stated. */
export const bytea = columnType<string, [options?: { readonly encoding?: BytesEncoding }]>(
  'bytea',
  (options) => ({
    kind: 'bytes',
    sql: 'bytea',
    decoder: () => bytesDecoder(options?.encoding),
    canonical: (given) => `\\x${bytesOf(given, options?.encoding)?.toString('hex') ?? ''}`,
  }),
)
/** A UUID, with or without hyphens; a row has it in its usual form. */
export const uuid = columnType<string>('uuid', plain('uuid', decodeUuid))
/** JSON document; validated, and stored as the original text. */
export const json = columnType<string>('json', plain('json', decodeJson))
/** Any other database type, by its SQL name. Values are sent as text; only the database validates them. */
export const custom = columnType<string, [sql: string]>('custom', (sql) => ({
  kind: 'custom',
  sql,
  decoder: () => decodeCustom,
}))

/** One of these texts; the created table has a CHECK that says so. */
export function enumeration<const T extends string>(...values: readonly T[]): Column<T | null> {
  return enumerationOf(...values) as Column<T | null>
}

const enumerationOf = columnType<string, string[]>('enumeration', (...values) => ({
  kind: 'enumeration',
  sql: 'text',
  values,
  length: Math.max(0, ...values.map((value) => Array.from(value).length)),
  decoder: () => enumerationDecoder(values),
  problem: () => {
    if (values.length === 0 || new Set(values).size < values.length)
      return 'an enumeration has at least one value, each once'
    return values.every((value) => value.isWellFormed() && !value.includes('\0'))
      ? undefined
      : 'a value of the enumeration is not text that a database takes'
  },
}))

/**
 * An array of the type of `element`, of any number of dimensions: `{1,NULL,"a b"}` as PostgreSQL writes it, or
 * JSON. Its value is PostgreSQL's text, in SQLite too.
 */
export const array = columnType<string, [element: Column]>('array', (element) => {
  const type = element?.spec?.type
  const elements = (): Elements => ({
    decode: type.decoder(),
    instants: type.kind === 'timestamptz',
    json: type.kind === 'json' || /^jsonb?$/i.test(type.sql ?? ''),
  })
  return {
    kind: 'array',
    element: type,
    decoder: () => arrayDecoder(elements()),
    canonical: (given) => {
      const value = arrayText(given, elements())
      return typeof value === 'string' ? value : given
    },
    problem: () => elementProblem(element),
  }
})

function elementProblem({ spec: { type, notNull, nullIf, ...others } }: Column): string | undefined {
  if (type.kind === 'array') return 'an array has any number of dimensions: write the innermost type'
  const hasOptions = notNull || nullIf.length > 0 || Object.values(others).some((each) => each !== undefined)
  return hasOptions ? 'the elements of an array have a type and no options' : type.problem?.()
}
