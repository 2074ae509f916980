import fc from 'fast-check'
import { btree, defineModel, integer, text } from 'lading'
import { expect, it } from 'vitest'
import type { OpenSqlTarget } from './sql.ts'
import { applied, write } from './target.ts'

/** What means something in SQL, in its drivers or in JavaScript, and letters of several bytes. */
const marks = String.raw`" ' ${'`'} ; -- /* */ \ . , ( ) $1 $$ ? :a %s {} [a] @ # a B é ł 漢`
  .split(' ')
  .concat(
    ' ',
    '\n',
    '\t',
    '\u001b[2J',
    '\u202e',
    '\u200b',
    '"; DROP TABLE bystander; --',
    "'; DROP TABLE bystander; --",
    '`; DROP TABLE bystander; --',
  )

const nameOf = (most: number) =>
  fc
    .array(fc.constantFrom(...marks), { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join(''))
    .filter((name) => Buffer.byteLength(name) <= most)

/** An end of its own keeps each apart from the others, however a database compares names. */
const someNames = fc
  .record({ table: nameOf(24), columns: fc.array(nameOf(60), { minLength: 3, maxLength: 8 }) })
  .map(({ table, columns }) => ({
    table: `${table}t`,
    columns: columns.map((name, index) => `${name}${index}`),
  }))

/** As standard SQL has it. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export function names(open: OpenSqlTarget): void {
  it('whatever a table and its columns are called, it is a name and no part of a statement', async () => {
    await using target = await open()
    await target.query(`CREATE TABLE bystander (id integer)${target.dialect.strict}`)
    const check = async ({
      table,
      columns,
    }: {
      readonly table: string
      readonly columns: readonly string[]
    }) => {
      await using sink = target.open()
      const [key = '', ...others] = columns
      const model = defineModel({
        table,
        columns: Object.fromEntries([
          [key, integer().notNull()],
          ...others.map((name) => [name, text()] as const),
        ]),
        primaryKey: [key],
        indexes: [btree(others[0] as string)],
        onConflict: 'update',
      })
      await sink.prepare(model)
      const record = (value: string) => ['1', ...others.map((_, index) => `${value}${index}`)]
      // The second finds the row of the first.
      for (const value of ['v', 'w'])
        expect(await write(sink, model, [{ key: `${table}${value}`, records: [record(value)] }])).toEqual([
          applied(1),
        ])
      const known = await sink.table?.({ table })
      if (known !== undefined) expect(known.columns.map(({ name }) => name)).toEqual(columns)
      const conditions = others.map((name, index) => `${quoted(name)} = 'w${index}'`)
      const [row] = await target.query(
        `SELECT count(*) AS n FROM ${quoted(table)} WHERE ${quoted(key)} = 1 AND ${conditions.join(' AND ')}`,
      )
      expect(Number(row?.['n'])).toBe(1)
      await target.query(`DROP TABLE ${quoted(table)}`)
    }
    await check({ table: '__proto__', columns: ['constructor', '__proto__', 'select', 'ä'.repeat(31) + 'x'] })
    await fc.assert(fc.asyncProperty(someNames, check), { numRuns: 3, endOnFailure: true })
    expect(await target.query('SELECT * FROM bystander')).toEqual([])
  })
}
