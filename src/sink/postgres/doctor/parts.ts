/** What of a table takes time with each row: its indexes, foreign keys, checks and triggers. */
import type pg from 'pg'
import { identifiers } from '../table/ddl.ts'
import type { Relation } from './relation.ts'

export interface Part {
  readonly kind: 'index' | 'foreign key' | 'checks' | 'trigger'
  readonly what: string
  /** Statements that give a copy of the table this part alone; `parent` is a table for a foreign key to refer to. */
  readonly make: (copy: string, parent: string) => readonly string[]
  /** Columns or expressions of which no two rows may share the values, in SQL. */
  readonly unique?: readonly string[] | undefined
  readonly predicate?: string | undefined
  /** Of a foreign key: the columns that refer. */
  readonly columns?: readonly string[] | undefined
  readonly index?: IndexPart | undefined
  /** Takes a foreign key away, and adds it again. */
  readonly again?: { readonly drop: string; readonly add: readonly string[] } | undefined
}

export interface IndexPart {
  readonly name: string
  readonly method: string
  readonly isKey: boolean
  /** The first column, where it is one. */
  readonly column: string | null
  /** Builds it again. */
  readonly definition: string
}

export interface Parts {
  readonly all: readonly Part[]
  readonly triggers: readonly Part[]
}

interface CatalogKey {
  readonly name: string
  readonly quoted: string
  readonly definition: string
  readonly columns: readonly string[]
  readonly parent: string
}

interface CatalogIndex {
  readonly name: string
  readonly shown: string
  readonly method: string
  readonly unique: boolean
  readonly constrained: boolean
  readonly exclusion: string | null
  readonly definition: string
  readonly expressions: readonly string[]
  readonly predicate: string | null
  readonly column: string | null
}

/** Names come out with their schemas, whatever path our session has. */
export async function partsOf(client: pg.Client, { oid }: Relation): Promise<Parts> {
  const path = (await client.query<{ path: string }>("SELECT current_setting('search_path') AS path")).rows[0]
    ?.path
  await client.query('SET LOCAL search_path = pg_catalog')
  const target =
    (await client.query<{ name: string }>('SELECT $1::oid::regclass::text AS name', [oid])).rows[0]?.name ??
    ''
  const { rows: indexes } = await client.query<CatalogIndex>(indexSql, [oid])
  const { rows: keys } = await client.query<CatalogKey>(
    `SELECT conname::text AS name, quote_ident(conname) AS quoted, pg_get_constraintdef(oid) AS definition, confrelid::regclass::text AS parent,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (num, n) JOIN pg_attribute ON attrelid = conrelid AND attnum = num ORDER BY n) AS columns
     FROM pg_constraint WHERE conrelid = $1 AND contype = 'f' ORDER BY conname`,
    [oid],
  )
  const { rows: checks } = await client.query<{ definition: string }>(
    "SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' ORDER BY conname",
    [oid],
  )
  const { rows: triggers } = await client.query<{ name: string; definition: string }>(
    `SELECT tgname::text AS name, pg_get_triggerdef(oid) AS definition FROM pg_trigger
     WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 4 = 4 AND tgenabled IN ('O', 'A') AND tgname <> 'lading_foreign_write' ORDER BY tgname`,
    [oid],
  )
  await client.query("SELECT set_config('search_path', $1, true)", [path])
  return {
    all: [
      ...indexes.map((index) => indexPart(index, target)),
      ...keys.map((key) => keyPart(key, target)),
      ...(checks.length === 0
        ? []
        : [
            {
              kind: 'checks' as const,
              what: checks.length === 1 ? `check ${checks[0]?.definition}` : `${checks.length} checks`,
              make: (copy: string) => checks.map(({ definition }) => `ALTER TABLE ${copy} ADD ${definition}`),
            },
          ]),
    ],
    triggers: triggers.map(({ name, definition }) => ({
      kind: 'trigger',
      what: `trigger ${name}`,
      make: (copy) => [definition.replace(` ON ${target} `, () => ` ON ${copy} `)],
    })),
  }
}

function indexPart(index: CatalogIndex, target: string): Part {
  const { name, shown, method, unique, constrained, exclusion, definition, expressions, predicate, column } =
    index
  const kind = constrained
    ? 'key'
    : unique
      ? 'unique index'
      : `${method === 'btree' ? '' : `${method} `}index`
  return {
    kind: 'index',
    what: `${kind} ${name} (${expressions.join(', ')})`,
    make: (copy) => [
      exclusion === null
        ? `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ON ${copy} USING ${after(definition, target)}`
        : `ALTER TABLE ${copy} ADD ${exclusion}`,
    ],
    ...(unique && { unique: expressions, predicate: predicate ?? undefined }),
    index: {
      name: shown,
      method,
      isKey: constrained || unique,
      column,
      definition: definition.replace(' ON ONLY ', ' ON '),
    },
  }
}

const keyPart = ({ name, quoted, definition, columns, parent }: CatalogKey, target: string): Part => ({
  kind: 'foreign key',
  what: `foreign key ${name} to ${parent}`,
  columns,
  make: (copy, parentCopy) => [
    `ALTER TABLE ${copy} ADD FOREIGN KEY (${identifiers(columns)}) REFERENCES ${parentCopy} (${identifiers(columns)})`,
  ],
  again: {
    drop: `ALTER TABLE ${target} DROP CONSTRAINT ${quoted};`,
    add: [
      `ALTER TABLE ${target} ADD CONSTRAINT ${quoted} ${definition} NOT VALID;`,
      `ALTER TABLE ${target} VALIDATE CONSTRAINT ${quoted};`,
    ],
  },
})

/** What follows USING: the table may have any name, so it is looked for as a whole. */
function after(definition: string, target: string): string {
  const mark = ` ON ${target} USING `
  const partitioned = ` ON ONLY ${target} USING `
  const found = definition.includes(mark) ? mark : partitioned
  return definition.slice(definition.indexOf(found) + found.length)
}

const indexSql = `
  SELECT c.relname::text AS name, indexrelid::regclass::text AS shown, amname::text AS method, indisunique AS unique, k.oid IS NOT NULL AS constrained,
    CASE WHEN indisexclusion THEN pg_get_constraintdef(k.oid) END AS exclusion, pg_get_indexdef(indexrelid) AS definition,
    ARRAY(SELECT CASE WHEN indkey[n - 1] = 0 THEN '(' || pg_get_indexdef(indexrelid, n, false) || ')' ELSE pg_get_indexdef(indexrelid, n, false) END
          FROM generate_series(1, indnkeyatts) n) AS expressions,
    pg_get_expr(indpred, indrelid) AS predicate,
    (SELECT attname::text FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0]) AS column
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = relam
    LEFT JOIN pg_constraint k ON k.conindid = indexrelid AND k.conrelid = indrelid AND k.contype IN ('p', 'u', 'x')
  WHERE indrelid = $1 AND indisvalid ORDER BY indisprimary DESC, indisunique DESC, indexrelid`
