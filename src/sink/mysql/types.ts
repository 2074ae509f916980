/**
 * A column that exists → the type of a model whose decoder lets through only what the column keeps as it is. The
 * server is strict about what it cannot store at all, and silent where it rounds, cuts or fills up.
 */
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'
import {
  bigint,
  boolean,
  bytea,
  type CellDecoder,
  type ColumnType,
  custom,
  date,
  doublePrecision,
  enumeration,
  integer,
  json,
  numeric,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from '../../model/columns.ts'
import type { RowWriter } from '../../model/writer.ts'
import { type Check, checked } from '../../model/checked.ts'
import { noteIn } from './ddl.ts'

/** The type of a column, as the catalogue has it. */
export interface CatalogType {
  /** Without length and attributes: `bigint`. */
  readonly base: string
  /** As the server writes it: `bigint(20) unsigned`. */
  readonly shown: string
  /** Characters of a text, bytes of other strings. */
  readonly length: number | undefined
  /** Bytes of a string. */
  readonly octets: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
  /** Digits of the fraction of a second. */
  readonly fraction: number | undefined
  readonly comment: string
  /** Its values are JSON, by a CHECK or by the type itself. */
  readonly isJson: boolean
}

/** Undefined where nothing that a file holds can be written to it. */
export function typeOf(column: CatalogType): ColumnType | undefined {
  const { base, comment, isJson } = column
  if (isJson) return json().spec.type
  const noted = noteIn(comment)
  if (noted !== undefined && noted.bases.includes(base)) return noted.type
  return types[base]?.(column)
}

const types: Readonly<Record<string, (column: CatalogType) => ColumnType | undefined>> = {
  tinyint: ({ shown }) => (shown.startsWith('tinyint(1)') ? boolean() : integer()).spec.type,
  smallint: () => integer().spec.type,
  mediumint: () => integer().spec.type,
  int: ({ shown }) => (shown.includes('unsigned') ? bigint() : integer()).spec.type,
  bigint: ({ shown }) => (shown.includes('unsigned') ? numeric(20, 0) : bigint()).spec.type,
  bit: ({ precision }) => (precision === 1 ? boolean().spec.type : undefined),
  decimal: ({ precision, scale }) => numeric(precision, scale ?? 0).spec.type,
  double: (column) => numberOfDigits(column) ?? doublePrecision().spec.type,
  float: (column) => numberOfDigits(column) ?? single,
  date: () => date().spec.type,
  datetime: ({ fraction = 0 }) => withFraction(timestamp().spec.type, fraction),
  timestamp: ({ fraction = 0 }) => withFraction(timestamptz().spec.type, fraction),
  time: ({ fraction = 0 }) => withFraction(time().spec.type, fraction),
  year: () => checked(integer().spec.type, isYear, 'a year from 1901 to 2155'),
  char: ({ length = 0 }) =>
    checked(varchar(length).spec.type, endsWithoutSpace, 'a text that a CHAR would keep with its spaces'),
  varchar: ({ length = 0 }) => varchar(length).spec.type,
  tinytext: (column) => textOfBytes(column),
  text: (column) => textOfBytes(column),
  mediumtext: (column) => textOfBytes(column),
  longtext: () => text().spec.type,
  enum: ({ shown }) => enumeration(...membersOf(shown)).spec.type,
  set: ({ shown }) => setOf(membersOf(shown)),
  binary: ({ octets = 0 }) => fixedBytes(octets),
  varbinary: () => bytea().spec.type,
  tinyblob: () => bytea().spec.type,
  blob: () => bytea().spec.type,
  mediumblob: () => bytea().spec.type,
  longblob: () => bytea().spec.type,
  uuid: () => uuid().spec.type,
  inet4: () => custom('inet4').spec.type,
  inet6: () => custom('inet6').spec.type,
}

/** `enum('a','it''s','\\\\')` */
export const membersOf = (shown: string): readonly string[] =>
  Array.from(shown.matchAll(/'((?:[^']|'')*)'/g), ([, member = '']) =>
    member.replaceAll(/''|\\./g, (escaped) => unescaped[escaped] ?? escaped.slice(1)),
  )

/** Whatever `sql_mode` is. */
const unescaped: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\0': '\0' }

/** Of a number below 100 the server would make a year of this century or the last. */
const isYear: Check = (bytes, start, end) => /^[12]\d{3}$/.test(bytes.toString('latin1', start, end))

const SPACE = 32
const endsWithoutSpace: Check = (bytes, start, end) => end === start || bytes[end - 1] !== SPACE

/** Spaces at the end that have no room would be cut with a note alone. */
const textOfBytes = ({ octets = 0 }: CatalogType): ColumnType =>
  checked(text().spec.type, (_, start, end) => end - start <= octets, `a text of at most ${octets} bytes`)

/** DOUBLE(10,2), which rounds. */
function numberOfDigits({ precision, scale }: CatalogType): ColumnType | undefined {
  return scale === undefined || precision === undefined ? undefined : numeric(precision, scale).spec.type
}

function setOf(members: readonly string[]): ColumnType {
  const areMembers: Check = (bytes, start, end) => {
    const given = bytes.toString('utf8', start, end)
    const each = given === '' ? [] : given.split(',')
    return each.every((one) => members.includes(one)) && new Set(each).size === each.length
  }
  return checked(text().spec.type, areMembers, `a list of ${members.join(', ')}`)
}

/** Hears what a decoder has read before the row does. */
class Heard {
  micros = 0
  value = 0
  size = 0
  #tell: ((writer: RowWriter) => void) | undefined

  timestamp(days: number, micros: number): void {
    this.micros = micros
    this.#tell = (writer) => writer.timestamp(days, micros)
  }
  time(micros: number): void {
    this.micros = micros
    this.#tell = (writer) => writer.time(micros)
  }
  double(value: number): void {
    this.value = value
    this.#tell = (writer) => writer.double(value)
  }
  bytea(bytes: Buffer, start: number, end: number): void {
    this.size = end - start
    this.#tell = (writer) => writer.bytea(bytes, start, end)
  }

  pass(writer: RowWriter): void {
    this.#tell?.(writer)
  }
}

/** The type, of whose values only those are taken for which the check holds. */
function heard(type: ColumnType, holds: (value: Heard) => boolean, fault: Omit<Fault, 'column'>): ColumnType {
  const decoder = (zone?: string): CellDecoder => {
    const decode = type.decoder(zone)
    const value = new Heard()
    return (bytes, start, end, writer) => {
      const problem = decode(bytes, start, end, value as unknown as RowWriter)
      if (problem !== undefined) return problem
      if (!holds(value)) return { ...fault, detail: `${found(bytes, start, end)} ${fault.detail}` }
      value.pass(writer)
      return undefined
    }
  }
  return { ...type, decoder }
}

const mostFraction = 6

function withFraction(type: ColumnType, digits: number): ColumnType {
  if (digits >= mostFraction) return type
  const unit = 10 ** (mostFraction - digits)
  const detail = `is finer than the column, which keeps ${digits} digits of a second`
  return heard(type, ({ micros }) => micros % unit === 0, { code: 'PRECISION_LOST', detail })
}

/** Digits that a 32-bit number always keeps (FLT_DIG), and those that tell it from any other. */
const [keptDigits, tellingDigits] = [6, 9]

/** A number that comes back with as many digits as it has. */
function isSingle(value: number): boolean {
  const single = Math.fround(value)
  if (single === value) return true
  for (let digits = keptDigits; digits <= tellingDigits; digits++)
    if (Number(single.toPrecision(digits)) === value) return true
  return false
}

const single = heard(doublePrecision().spec.type, ({ value }) => isSingle(value), {
  code: 'PRECISION_LOST',
  detail: 'has more digits than a FLOAT keeps: make the column a DOUBLE',
})

/** Zeros would fill up a shorter one. */
const fixedBytes = (size: number): ColumnType =>
  heard(bytea().spec.type, (value) => value.size === size, {
    code: 'VALUE_REFUSED',
    detail: `does not have ${size} bytes, and the column would fill it up`,
  })
