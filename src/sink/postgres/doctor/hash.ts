/**
 * Hash indexes over few values. All rows of a value lie in one chain of pages, through which each insert goes. An
 * empty copy does not show that, so the sample is put into one several times, and measured again.
 */
import type pg from 'pg'
import { identifier } from '../../../driver/postgres/identifier.ts'
import { count } from '../../../core/counted.ts'
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import { fastest } from '../../measured.ts'
import { manyRowsOfOneValue, rowsOfOneValue } from '../table/hash-indexes.ts'
import type { Copies } from './copies.ts'
import type { IndexPart, Part } from './parts.ts'
import type { Relation } from './relation.ts'
import { row } from './visit.ts'

const { note, warn } = findingsAbout('table')

/** Samples that the copy has when it is measured again. */
const batches = 8
const rounds = 3
/** Rows of one value in the sample from which on a chain is worth a try. */
const manyOfOneValue = 100
/** How much slower the index has become by then. */
const growing = 1.25

export interface HashContext {
  readonly client: pg.Client
  readonly copies: Copies
  readonly sample: string
  readonly relation: Relation
  readonly rows: number
  /** Milliseconds for the rows of the sample without any index, and what this one adds to them on an empty copy. */
  readonly bare: number
  readonly added: number
}

export async function hashFinding(context: HashContext, part: Part): Promise<Finding | undefined> {
  const { client, sample, relation, rows, added } = context
  const { name, column, definition } = part.index as IndexPart
  if (column === null) return undefined
  const there = await rowsOfOneValue(client, relation, column)
  const { values } = await row<{ values: number }>(
    client,
    `SELECT count(DISTINCT ${identifier(column)}::text)::int AS values FROM ${sample}`,
  )
  if (rows / Math.max(1, values) < manyOfOneValue && there < manyRowsOfOneValue) return undefined
  const grown = await whenGrown(context, part)
  const [before, after] = [added, grown].map((ms) => ((ms * 1000) / rows).toFixed(1))
  const told = [
    `${name}: ${count(values)} values in ${count(rows)} rows, and each insert goes through all rows of its value: `,
    `it took ${before} ms for 1,000 records into an empty table and ${after} ms with ${count(batches * rows)} rows in it`,
    ...(there > 0 ? [`; the table has about ${count(there)} rows of its most frequent value`] : []),
    '. A btree answers the same',
  ].join('')
  const cure = `DROP INDEX ${name};\n${btreeOf(definition)};`
  const isDear = grown > growing * added || there >= manyRowsOfOneValue
  return (isDear ? warn : note)('hash index', told, cure)
}

/** Milliseconds that the index adds to the sample once the copy has several of them. */
async function whenGrown({ client, copies, sample, bare }: HashContext, part: Part): Promise<number> {
  const copy = await copies.with([part])
  for (let n = 0; n < batches; n++) await copies.add(copy, sample)
  const times: number[] = []
  for (let n = 0; n < rounds; n++) {
    await client.query('SAVEPOINT grown')
    times.push(await copies.add(copy, sample))
    await client.query('ROLLBACK TO grown')
  }
  return Math.max(0, fastest(times) - bare)
}

const btreeOf = (definition: string): string =>
  definition.replace(/^CREATE INDEX .*? ON /, 'CREATE INDEX ON ').replace(' USING hash ', ' USING btree ')
