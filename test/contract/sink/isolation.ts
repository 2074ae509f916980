import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Code, type ConflictPolicy, custom, defineModel, integer, type Sink, text } from 'lading'
import { allRejects, type Delivery, entries, loadOf, numbers, pipeline, write } from './target.ts'
import type { Dialect, OpenSqlTarget, SqlTarget } from './sql.ts'

/** A rule by which a database refuses rows. The table is `items`, its columns `id`, `ref` and `note`. */
export interface Rule {
  readonly name: string
  readonly code: Code
  /** That the database names. */
  readonly column?: string
  readonly sql: (dialect: Dialect) => string
  /** The value of a bad row that stands in `ref` or `note`; a good one has its id in both. */
  readonly bad: { readonly ref?: (id: number) => string; readonly note?: string | null }
  /** The type of `note`, where it is none that every database has. */
  readonly note?: { readonly type: string; readonly good: string }
}

const table = (extra: (dialect: Dialect) => string) => (dialect: Dialect) =>
  `CREATE TABLE items (id integer PRIMARY KEY, ref integer, note text${extra(dialect)})${dialect.strict}`

const parents = (isDeferred: boolean) => (dialect: Dialect) =>
  `CREATE TABLE parents (id integer PRIMARY KEY)${dialect.strict};
   INSERT INTO parents WITH RECURSIVE ids AS (SELECT 0 AS id UNION ALL SELECT id + 1 FROM ids WHERE id < 200) SELECT id FROM ids;
   ${table(() => `, FOREIGN KEY (ref) REFERENCES parents (id) ${isDeferred ? dialect.deferred : ''}`)(dialect)}`

const trigger = (when: 'BEFORE' | 'AFTER') => (dialect: Dialect) =>
  `${table(() => '')(dialect)}; ${dialect.refuse?.('items', when, "new.note = 'bad'")}`

export const rules: readonly Rule[] = [
  {
    name: 'NOT NULL',
    code: 'CONSTRAINT_NOT_NULL',
    column: 'note',
    sql: table(() => ' NOT NULL'),
    bad: { note: null },
  },
  {
    name: 'CHECK',
    code: 'CONSTRAINT_CHECK',
    sql: table(() => " CHECK (note <> 'bad')"),
    bad: { note: 'bad' },
  },
  {
    name: 'a second UNIQUE',
    code: 'CONSTRAINT_UNIQUE',
    sql: table(() => ', UNIQUE (ref)'),
    bad: { ref: () => '0' },
  },
  {
    name: 'FOREIGN KEY',
    code: 'CONSTRAINT_FOREIGN_KEY',
    sql: parents(false),
    bad: { ref: (id) => `${id + 1000}` },
  },
  {
    name: 'FOREIGN KEY DEFERRABLE INITIALLY DEFERRED',
    code: 'CONSTRAINT_FOREIGN_KEY',
    sql: parents(true),
    bad: { ref: (id) => `${id + 1000}` },
  },
  { name: 'a trigger before', code: 'TRIGGER_RAISED', sql: trigger('BEFORE'), bad: { note: 'bad' } },
  { name: 'a trigger after', code: 'TRIGGER_RAISED', sql: trigger('AFTER'), bad: { note: 'bad' } },
]

const sizes = [4, 1, 5, 2]
const total = sizes.reduce((sum, size) => sum + size)
const all = Array.from({ length: total }, (_, index) => index)
const ends = [0, 3, 4, 5, 9, 10]
/** Where the bad rows are: the first and the last one alone, neighbours, the ends of parts, all. Where rows are updated, all go one way. */
const places = {
  error: [[0], [total - 1], [3, 4, 5], ends, all],
  update: [ends, all],
}

export function isolation(open: OpenSqlTarget, each: readonly Rule[] = rules): void {
  const cases = each.flatMap((rule) =>
    (['error', 'update'] as const).map((policy) => ({ rule, policy, name: rule.name })),
  )

  it.for(cases)(
    'a bad record never costs a good one: $name, onConflict $policy',
    async ({ rule, policy }, { skip }) => {
      await using target = await open()
      const isMissing = rule.code === 'TRIGGER_RAISED' && target.dialect.refuse === undefined
      if (isMissing) skip('the database has no triggers')
      await using sink = target.open()
      const bench = new Bench(target, sink, rule, policy)
      await bench.prepare()
      for (const bad of places[policy]) await bench.check(new Set(bad))
      const someBad = fc.subarray(all).map((bad) => new Set(bad))
      await fc.assert(
        fc.asyncProperty(someBad, (bad) => bench.check(bad)),
        { numRuns: 2 },
      )
    },
  )
}

/** Writes the same rows again and again under new keys, each time with others of them bad. */
class Bench {
  readonly #target: SqlTarget
  readonly #sink: Sink
  readonly #rule: Rule
  readonly #policy: ConflictPolicy
  readonly #model
  #round = 0

  constructor(target: SqlTarget, sink: Sink, rule: Rule, policy: ConflictPolicy) {
    this.#target = target
    this.#sink = sink
    this.#rule = rule
    this.#policy = policy
    const note = rule.note === undefined ? text() : custom(rule.note.type)
    const columns = { id: integer().notNull(), ref: integer(), note }
    this.#model = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: policy })
  }

  async prepare(): Promise<void> {
    await this.#target.query(this.#rule.sql(this.#target.dialect))
    await this.#sink.prepare(this.#model)
  }

  async check(bad: ReadonlySet<number>): Promise<void> {
    const round = ++this.#round
    await this.#target.query(`DELETE FROM items; DELETE FROM ${this.#target.dialect.ledger('reject')}`)
    // The row that others clash with; where rows are updated, one of the batch has its key, so that all go
    // the way of upserts.
    await write(this.#sink, this.#model, [{ key: `${round}`, records: [this.#record(0, false)] }])
    const load = loadOf(sizes.length, total + 1)
    const verdicts = await write(this.#sink, this.#model, this.#deliveries(round, bad, load))
    const expected = this.#counts(bad)
    expect(verdicts).toEqual(expected.map((counts) => ({ kind: 'applied', ...counts, skipped: 0 })))
    expect(await numbers(this.#target, 'items')).toEqual([
      0,
      ...all.filter((row) => !bad.has(row)).map((row) => row + 1),
    ])
    await this.#checkPapers(round, bad, load.id, expected)
  }

  #deliveries(round: number, bad: ReadonlySet<number>, load: ReturnType<typeof loadOf>): Delivery[] {
    let row = 0
    return sizes.map((size, part) => {
      const records = Array.from({ length: size }, () => this.#record(row + 1, bad.has(row++)))
      if (part === 1 && this.#policy === 'update') records.unshift(this.#record(0, false))
      return { key: `${round}-${part}`, records, load }
    })
  }

  #record(id: number, bad: boolean): (string | null)[] {
    const { ref, note } = this.#rule.bad
    const good = [`${id}`, `${id}`, this.#rule.note?.good ?? 'good'] as const
    return bad ? [good[0], ref?.(id) ?? good[1], note === undefined ? good[2] : note] : [...good]
  }

  /** Loaded and rejected of each part. */
  #counts(bad: ReadonlySet<number>): { loaded: number; rejected: number }[] {
    let row = 0
    return sizes.map((size, part) => {
      const rejected = Array.from({ length: size }, () => bad.has(row++)).filter(Boolean).length
      return { loaded: size - rejected + this.#extra(part), rejected }
    })
  }

  readonly #extra = (part: number) => (part === 1 && this.#policy === 'update' ? 1 : 0)

  async #checkPapers(
    round: number,
    bad: ReadonlySet<number>,
    loadId: string,
    counts: readonly { loaded: number; rejected: number }[],
  ): Promise<void> {
    const rejects = await allRejects(this.#sink)
    const starts = sizes.map((_, part) => sizes.slice(0, part).reduce((sum, size) => sum + size, 0))
    const part = (row: number) => starts.findLastIndex((start) => start <= row)
    const positions = [...bad]
      .sort((a, b) => a - b)
      .map((row) => row - (starts[part(row)] as number) + this.#extra(part(row)))
    expect(rejects.map(({ record }) => record)).toEqual(positions)
    for (const reject of rejects)
      expect(reject).toMatchObject({ code: this.#rule.code, column: this.#rule.column, loadId, pipeline })
    const own = (await entries(this.#target)).filter(({ key }) => key.startsWith(`${round}-`))
    expect(own).toEqual(
      counts.map((each, index) => ({
        key: `${round}-${index}`,
        outcome: 'applied',
        records: each.loaded + each.rejected,
        ...each,
        skipped: 0,
      })),
    )
    const [receipt] = await this.#sink.ledger.receipts({ loads: [loadId] })
    expect(receipt).toMatchObject({
      rejected: bad.size,
      rejectRows: bad.size,
      skipped: 0,
      chunksDone: sizes.length,
    })
  }
}
