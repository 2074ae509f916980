/** What the catalogue says of a table's columns and unique indexes. */
import type { TableKey, TableName } from '../../model/table.ts'
import type { LedgerRow } from '../sql/ledger-rows.ts'
import { ofTriggers, placeSql } from './relation.ts'
import type { Session } from './session.ts'
import type { CatalogType } from './types.ts'

export interface CatalogColumn extends CatalogType {
  readonly name: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  /** AUTO_INCREMENT: the table has a value where none is given. */
  readonly counts: boolean
  /** Computed from other columns: no value can be given. */
  readonly computed: boolean
}

export async function columnsOf(session: Session, name: TableName): Promise<readonly CatalogColumn[]> {
  const documents = await jsonColumns(session, name)
  const rows = await session.query(
    `SELECT column_name AS name, data_type AS base, column_type AS shown, character_maximum_length AS length, character_octet_length AS octets,
       numeric_precision AS digits, numeric_scale AS scale, datetime_precision AS fraction, is_nullable AS nullable, column_default AS fallback,
       extra AS extra, column_comment AS note
     FROM information_schema.columns WHERE ${placeSql(name)} ORDER BY ordinal_position`,
  )
  return rows.map((row) => columnIn(row, documents, session))
}

function columnIn(row: LedgerRow, documents: readonly string[], { product }: Session): CatalogColumn {
  const text = (field: string) => String(row[field] ?? '')
  const count = (field: string) => (row[field] === null ? undefined : Number(row[field]))
  const name = text('name')
  // MariaDB writes a default as SQL does, so that no default of a column that may be NULL is the word.
  const none = product === 'mariadb' ? 'NULL' : undefined
  return {
    name,
    base: text('base').toLowerCase(),
    shown: text('shown').toLowerCase().startsWith('enum') ? text('shown') : shownType(text('shown')),
    length: count('length'),
    octets: count('octets'),
    precision: count('digits'),
    scale: count('scale'),
    fraction: count('fraction'),
    comment: text('note'),
    isJson: text('base').toLowerCase() === 'json' || documents.includes(name),
    notNull: text('nullable') === 'NO',
    hasDefault: row['fallback'] !== null && row['fallback'] !== none,
    counts: /auto_increment/i.test(text('extra')),
    computed: /(virtual|stored|persistent) generated/i.test(text('extra')),
  }
}

/** Words in lower case, but not the members of an ENUM or a SET. */
const shownType = (shown: string): string =>
  shown.replaceAll(/'(?:[^']|'')*'|[^']+/g, (part) => (part.startsWith("'") ? part : part.toLowerCase()))

/** In MariaDB, JSON is a text with a CHECK. */
async function jsonColumns(session: Session, name: TableName): Promise<readonly string[]> {
  // v8 ignore next -- there is no MySQL where tests run
  if (session.product !== 'mariadb') return []
  const place = placeSql(name, ['constraint_schema', 'table_name'])
  const rows = await session.query(
    `SELECT check_clause AS clause FROM information_schema.check_constraints WHERE ${place}`,
  )
  return rows.flatMap((row) => {
    const [, column] = /^json_valid\([`"](.+)[`"]\)$/i.exec(String(row['clause'])) ?? []
    return column === undefined ? [] : [column.replaceAll('``', '`')]
  })
}

export async function keysOf(session: Session, name: TableName): Promise<readonly TableKey[]> {
  const rows = await session.query(
    `SELECT index_name AS name, column_name AS part, sub_part AS prefix FROM information_schema.statistics
     WHERE ${placeSql(name)} AND non_unique = 0 ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index`,
  )
  const byName = Map.groupBy(rows, (row) => String(row['name']))
  return Array.from(byName, ([index, parts]) => keyIn(index, parts))
}

function keyIn(name: string, parts: readonly LedgerRow[]): TableKey {
  const cut = parts.find((part) => part['prefix'] !== null)
  // A part without a name is an expression (MySQL).
  const plain = parts.flatMap((part) => (part['part'] === null ? [] : [String(part['part'])]))
  const isPrimary = name === 'PRIMARY'
  return {
    name: isPrimary ? 'PRIMARY KEY' : name,
    primary: isPrimary,
    columns: plain,
    unfit:
      plain.length < parts.length
        ? 'it compares an expression'
        : cut && `it compares only the beginning of ${String(cut['part'])}`,
  }
}

/** Triggers that run for a row before it is inserted may fill in what is missing. */
export async function mayFillIn(session: Session, name: TableName): Promise<boolean> {
  const place = placeSql(name, ofTriggers)
  const rows = await session.query(
    `SELECT 1 FROM information_schema.triggers WHERE ${place} AND action_timing = 'BEFORE' AND event_manipulation = 'INSERT' LIMIT 1`,
  )
  return rows.length > 0
}
