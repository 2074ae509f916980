/** Rows of a sample that the table would refuse: they are counted and left out, so that the others can be measured. */
import pg from 'pg'
import type { Part } from './parts.ts'
import type { Relation } from './relation.ts'

/** What is NULL where the table takes none, and what a check refuses. */
export async function withoutRefused(client: pg.Client, sample: string, { oid }: Relation): Promise<number> {
  const { rows } = await client.query<{ condition: string }>(
    `SELECT format('%I IS NULL', attname) AS condition FROM pg_attribute
       WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attnotnull
         AND EXISTS (SELECT FROM pg_attribute s WHERE s.attrelid = $2::regclass AND s.attname = pg_attribute.attname AND NOT s.attisdropped)
     UNION ALL
     SELECT format('NOT (%s)', pg_get_expr(conbin, conrelid)) FROM pg_constraint WHERE conrelid = $1 AND contype = 'c'`,
    [oid, sample],
  )
  let refused = 0
  for (const { condition } of rows) refused += await remove(client, sample, condition)
  return refused
}

/** What a unique index would refuse. */
export function withoutRepeats(
  client: pg.Client,
  sample: string,
  { unique = [], predicate = 'true' }: Part,
): Promise<number> {
  const isCompared = [`(${predicate})`, ...unique.map((each) => `${each} IS NOT NULL`)].join(' AND ')
  return remove(
    client,
    sample,
    `ctid IN (SELECT ctid FROM
       (SELECT ctid, row_number() OVER (PARTITION BY ${unique.join(', ')}) AS nth FROM ${sample} WHERE ${isCompared}) AS counted WHERE nth > 1)`,
  )
}

/** The condition may name columns that the sample does not have, because the table itself fills them. */
async function remove(client: pg.Client, sample: string, condition: string): Promise<number> {
  await client.query('SAVEPOINT removing')
  try {
    return (await client.query(`DELETE FROM ${sample} WHERE ${condition}`)).rowCount ?? 0
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== undefinedColumn) throw error
    await client.query('ROLLBACK TO removing')
    return 0
  }
}

const undefinedColumn = '42703'
