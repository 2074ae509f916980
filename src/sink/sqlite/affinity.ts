/**
 * How a column of an ordinary table, which is not STRICT, changes what is stored in it, and the type of a
 * model that only lets through what it does not change.
 */
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'
import { bigint, boolean, type ColumnType, doublePrecision, numeric, text } from '../../model/columns.ts'

export type Affinity = NonNullable<ColumnType['affinity']>

/** SQLite documentation, "Datatypes In SQLite", 3.1: the first rule that holds. */
export function affinityOf(declared: string): Affinity {
  const name = declared.toUpperCase()
  if (name.includes('INT')) return 'INTEGER'
  if (/CHAR|CLOB|TEXT/.test(name)) return 'TEXT'
  if (name === '' || name.includes('BLOB')) return 'BLOB'
  return /REAL|FLOA|DOUB/.test(name) ? 'REAL' : 'NUMERIC'
}

/** The type of a column that is declared so. */
export function typeOf(declared: string): ColumnType {
  const affinity = affinityOf(declared)
  return { ...typeFor(affinity, declared), affinity }
}

function typeFor(affinity: Affinity, declared: string): ColumnType {
  switch (affinity) {
    case 'INTEGER':
      return bigint().spec.type
    case 'REAL':
      return doublePrecision().spec.type
    case 'NUMERIC':
      if (/^\s*BOOL/i.test(declared)) return boolean().spec.type
      if (/NUM|DEC|MONEY/i.test(declared)) return exactNumber
      return { ...keptText, kind: keptKinds.find(([name]) => name.test(declared))?.[1] ?? 'keptText' }
    default:
      return text().spec.type
  }
}

/** Digits of a decimal number that a double always keeps (DBL_DIG), and the powers of ten that it reaches. */
const exactDigits = 15
const exactPowers = 290

const parts = /^[+-]?(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i

/** Whether the column would keep the value: SQLite makes an INTEGER or a REAL of a number. */
function keepsValue(number: string): boolean {
  const [, whole = '', fraction = '', exponent = '0'] = parts.exec(number) ?? []
  if (/^[+-]?\d+$/.test(number)) return BigInt.asIntN(64, BigInt(number)) === BigInt(number)
  const digits = `${whole}${fraction}`.replace(/^0+/, '').replace(/(?<!0)0+$/, '')
  return digits.length <= exactDigits && Math.abs(Number(exponent)) + whole.length < exactPowers
}

/** A decimal number that the column stores as an INTEGER or a REAL of the same value: 1.50 becomes 1.5. */
const exactNumber: ColumnType = {
  kind: 'numeric',
  decoder: () => {
    const decode = numeric().spec.type.decoder()
    return (bytes, start, end, writer) => {
      const number = bytes.toString('utf8', start, end)
      return parts.test(number) && !keepsValue(number)
        ? changed(bytes, start, end, 'more digits than SQLite keeps in a column of this type')
        : decode(bytes, start, end, writer)
    }
  },
}

/** What SQLite takes for a number where it stores a text (sqlite3AtoF). */
const looksNumeric = /^\s*[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i
/** A number that has the same text when it is read back. */
const sameText = /^(-?[1-9]\d*|0)$|^-?(0|[1-9]\d*)\.\d{0,14}[1-9]$/

/** What a column is declared to hold; where it is stated how its dates are written, they are stored as ISO 8601 has them. */
const keptKinds: readonly (readonly [RegExp, string])[] = [
  [/^\s*DATE\s*$/i, 'keptDate'],
  [/^\s*(DATETIME|TIMESTAMP)\b/i, 'keptTimestamp'],
]

/** Texts that the column stores as they are, and numbers whose text comes back. */
const keptText: ColumnType = {
  kind: 'keptText',
  decoder: () => (bytes, start, end, writer) => {
    const value = bytes.toString('utf8', start, end)
    if (looksNumeric.test(value) && !(sameText.test(value) && keepsValue(value)))
      return changed(
        bytes,
        start,
        end,
        'a number that SQLite would write in another way in a column of this type',
      )
    writer.text(bytes, start, end)
    return undefined
  },
}

const changed = (bytes: Buffer, start: number, end: number, what: string): Fault => ({
  code: 'PRECISION_LOST',
  detail: `${found(bytes, start, end)} is ${what}: declare it TEXT`,
})
