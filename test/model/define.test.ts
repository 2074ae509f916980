import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Fault } from '../../src/core/fault.ts'
import {
  array,
  bigint,
  boolean,
  custom,
  date,
  doublePrecision,
  integer,
  json,
  numeric,
  text,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from '../../src/model/columns.ts'
import {
  brin,
  btree,
  defineModel,
  hash,
  type Model,
  type ModelOptions,
  type RowOf,
  tableName,
  unique,
} from '../../src/model/model.ts'
import { hmacSha256, partial } from '../../src/model/mask.ts'
import { decodeRecord } from '../../src/model/values.ts'
import { userLogins } from '../../src/model/shipped/user-logins.ts'

type Options = ModelOptions<ModelOptions<never>['columns']>
type Any = { [K in keyof Options]?: unknown }

/** As somebody without a type checker would call it. */
const define = (options: Any): Model =>
  defineModel({ table: 't', columns: { id: integer().notNull() }, ...options } as never)

/** With any arguments. */
const call = <T>(make: (...given: never[]) => T, ...given: unknown[]): T => make(...(given as never[]))

describe('a model that cannot work is refused in one line', () => {
  const long = 'ä'.repeat(32)
  it.each<[string, Any, string]>([
    ['an empty name', { table: '' }, 'usable name'],
    ['a name that PostgreSQL would cut', { table: long }, 'usable name'],
    ['a name with a NUL', { columns: { 'a\0': text() } }, 'usable name'],
    ['a long name with a line end', { table: `a\n${long}` }, 'usable name'],
    ['a long name of a schema', { schema: long }, 'usable name'],
    ['no columns', { columns: {} }, 'no columns'],
    ['varchar without room', { columns: { a: varchar(0) } }, 'varchar'],
    ['varchar of a fraction', { columns: { a: varchar(1.5) } }, 'varchar'],
    ['varchar beyond the limit of PostgreSQL', { columns: { a: varchar(10_485_761) } }, 'varchar'],
    ['numeric without digits', { columns: { a: numeric(0) } }, 'numeric(0, 0)'],
    ['numeric of too many digits', { columns: { a: numeric(1001) } }, 'numeric(1001, 0)'],
    ['numeric of a fraction', { columns: { a: numeric(10.5, 2) } }, 'numeric(10.5, 2)'],
    ['numeric with a fraction of a scale', { columns: { a: numeric(10, 2.5) } }, 'numeric(10, 2.5)'],
    ['numeric with more scale than digits', { columns: { a: numeric(2, 3) } }, 'numeric(2, 3)'],
    ['numeric with a scale alone', { columns: { a: numeric(undefined, 3) } }, 'numeric'],
    ['an unknown zone', { columns: { a: timestamptz({ zone: 'Asia/Taipeh\n' }) } }, 'IANA'],
    ['an empty zone', { columns: { a: timestamptz({ zone: '' }) } }, 'IANA'],
    ['a type with a comment', { columns: { a: custom('int--') } }, 'type name'],
    ['a type whose quotes do not end', { columns: { a: custom('"My Shop"."Size') } }, 'type name'],
    ['a type that is not a name', { columns: { a: custom("int'; drop\ntable") } }, 'type name'],
    ['a key of an unknown column', { primaryKey: ['no'] }, 'no column no'],
    ['a key that names a column twice', { primaryKey: ['id', 'id'] }, 'twice'],
    ['a key that may be NULL', { columns: { a: text() }, primaryKey: ['a'] }, 'notNull'],
    ['an index of an unknown column', { indexes: [btree('no')] }, 'no column no'],
    ['an index of nothing', { indexes: [btree()] }, 'index'],
    ['skip without a key', { onConflict: 'skip' }, 'primaryKey'],
    ['update without a key', { onConflict: 'update' }, 'primaryKey'],
    ['a version without update', { primaryKey: ['id'], onConflict: 'skip', version: 'id' }, 'update'],
    [
      'merge with what sees whole records',
      { primaryKey: ['id'], onConflict: 'merge', validate: () => undefined },
      'see whole records',
    ],
    ['an array whose elements have options', { columns: { a: array(text().notNull()) } }, 'no options'],
    [
      'a column that is generated and derived',
      { columns: { id: text().generated('recordKey') }, derive: { id: () => 'x' } },
      'derived',
    ],
    ['an unknown version', { primaryKey: ['id'], onConflict: 'update', version: 'no' }, 'no column no'],
  ])('%s', (_, options, message) => {
    const error: unknown = expect.objectContaining({
      code: 'MODEL_INVALID',
      message: expect.stringContaining(message) as string,
    })
    expect(() => define(options)).toThrow(error as Error)
    expect(() => define(options)).toThrow(/^[\P{Cc}]+$/u)
  })
})

describe('what the types of a model forbid is refused at run time too, with what to write', () => {
  const of = (column: unknown): Any => ({ columns: { id: column } })
  it.each<[() => unknown, string]>([
    [() => define({ onConflict: 'ignore' }), "onConflict 'ignore' is not one of 'error', 'skip', 'update'"],
    [() => define({ primarykey: ['id'] } as Any), 'there is no option primarykey (did you mean primaryKey?)'],
    [
      () => define({ unique: ['id'] } as Any),
      "there is no option unique (did you mean indexes: [unique('column')]",
    ],
    [
      () => define({ whatever: 1 } as Any),
      'there is no option whatever (there is table, schema, columns, primaryKey, indexes, onConflict, version, skipWhen, where, derive, validate)',
    ],
    [() => define({ primaryKey: 'id' }), "primaryKey 'id' is not a list"],
    [() => define({ primaryKey: ['idd'] }), 'there is no column idd (did you mean id?)'],
    [() => define({ indexes: ['id'] }), "indexes: 'id' is not an index (write btree('column')"],
    [
      () => define({ indexes: [btree(['id'] as never)] }),
      "btree: ['id'] is not a text (write btree('column')",
    ],
    [
      () => define({ indexes: [(hash as typeof btree)('id', 'id')] }),
      "hash: 'id' is one argument too many (write hash('column')",
    ],
    [() => define({ columns: [integer()] }), 'columns [{ spec }] is not an object of columns'],
    [() => define(of(text)), 'id: the function text is not a column (write text()'],
    [() => define(of('varchar')), "id: 'varchar' is not a column (write varchar(20)"],
    [() => define(of({ type: 'text' })), 'id: { type } is not a column (write text(), or another type'],
    [
      () => define(of(call(text, { notNull: true }))),
      'id: text: there is no option notNull (did you mean .notNull()?)',
    ],
    [
      () => define(of(call(date, { format: 'DD.MM.YYYY' }))),
      'id: date: there is no option format (did you mean .written({ pattern: ',
    ],
    [
      () => define(of(call(timestamptz, { tz: 'UTC' }))),
      'id: timestamptz: there is no option tz (did you mean zone?)',
    ],
    [
      () => define(of(call(timestamptz, 'UTC'))),
      "id: timestamptz: 'UTC' is not an object with options (write timestamptz({ zone: ",
    ],
    [() => define(of(call(varchar, '20'))), "id: varchar: '20' is not a number (write varchar(20)"],
    [() => define(of(call(varchar))), 'id: varchar: is missing (write varchar(20)'],
    [
      () => define(of(call(numeric, { precision: 9 }))),
      'id: numeric: { precision } is not a number (write numeric(12, 2)',
    ],
    [
      () => define(of(text().nullIf(['a'] as never))),
      "id: nullIf: ['a'] is not a text (write nullIf('', 'n/a')",
    ],
    [() => define(of(text().transform('trim' as never))), "id: transform: 'trim' is not a function"],
    [() => define(of(text().default(new Date() as never))), 'id: default: a Date is not a text, a number'],
    [() => define(of(call(text).from(7 as never))), 'id: from: 7 is not a text'],
    [
      () => define(of(integer().notNull(...([true] as unknown as []))) as Any),
      'id: notNull: true is one argument too many',
    ],
    [() => defineModel(undefined as never), 'model: is missing (write defineModel({ table'],
    [
      () => call(partial, { keepfirst: 2 }),
      'partial: there is no option keepfirst (did you mean keepFirst?)',
    ],
    [
      () => call(hmacSha256, { key: '0'.repeat(64) }),
      'hmacSha256: there is no option key (did you mean keys?)',
    ],
    [() => call(userLogins, { mask: 'sha256' }), "userLogins: mask 'sha256' is not a mask"],
    [
      () => call(decodeRecord, define({}), {}, { At: 1 }),
      'decodeRecord: there is no option At (did you mean at?)',
    ],
  ])('%s', (make, message) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: 'MODEL_INVALID',
        message: expect.stringContaining(message) as string,
      }) as Error,
    )
  })

  it('all of it at once', () => {
    const columns = { a: call(text, 1), b: call(date, 2) }
    expect(() => define({ columns, onconflict: 'skip' } as Any)).toThrow(
      /onConflict.*; a: text: 1 .*; b: date: 2 /,
    )
    expect(() => define({ primaryKey: ['x'], indexes: [btree('y')] })).toThrow(
      /no column x.*; there is no column y/,
    )
  })
})

describe('a model', () => {
  it.each<[string, Any]>([
    ['names of 63 bytes', { table: 'x'.repeat(63), columns: { ['ä'.repeat(31)]: text() } }],
    ['names that need quotes', { table: 'a "b" c', columns: { "it's": text(), __proto__x: text() } }],
    ['the greatest numeric', { columns: { a: numeric(1000, 1000) } }],
    [
      'any custom type',
      {
        columns: {
          a: custom('numeric(3, 1)[]'),
          b: custom('"My Shop"."Size; (""cm"")"[]'),
          b2: custom('numeric(3,-2)'),
          b3: custom('myschema.my_type'),
          c: custom('double precision'),
        },
      },
    ],
    ['every index', { indexes: [btree('id'), unique('id'), brin('id'), hash('id')] }],
    ['a version', { primaryKey: ['id'], onConflict: 'update', version: 'id' }],
  ])('may have %s', (_, options) => expect(define(options).columns.length).toBeGreaterThan(0))

  it('keeps its columns in the order of their declaration', () => {
    expect(define({ columns: { b: text(), a: text(), c: text() } }).columns.map(({ name }) => name)).toEqual([
      'b',
      'a',
      'c',
    ])
  })

  it('is called by its table, with the schema where it has one', () => {
    expect([tableName(define({})), tableName(define({ schema: 's' }))]).toEqual(['t', 's.t'])
  })

  it('a method of a column leaves the column as it was', () => {
    const base = integer()
    base.notNull().default(1).from('x').nullIf('y')
    expect(base.spec).toEqual(integer().spec)
  })
})

describe('the fingerprint', () => {
  const declarations: Any[] = [
    {},
    { table: 'u' },
    { schema: 's' },
    { columns: { ID: integer().notNull() } },
    { columns: { id: integer() } },
    { columns: { id: bigint().notNull() } },
    { columns: { id: integer().notNull().default(1) } },
    { columns: { id: integer().notNull().from('a') } },
    { columns: { id: integer().notNull().nullIf('a') } },
    { columns: { id: integer().notNull().nullIf('a', 'b') } },
    { columns: { id: varchar(3).notNull() } },
    { columns: { id: varchar(4).notNull() } },
    { columns: { id: numeric(3).notNull() } },
    { columns: { id: numeric(3, 1).notNull() } },
    { columns: { id: timestamptz().notNull() } },
    { columns: { id: timestamptz({ zone: 'UTC' }).notNull() } },
    { columns: { id: custom('inet').notNull() } },
    { columns: { id: custom('cidr').notNull() } },
    { columns: { id: integer().notNull(), a: text(), b: text() } },
    { columns: { id: integer().notNull(), b: text(), a: text() } },
    { primaryKey: ['id'] },
    { primaryKey: ['id'], onConflict: 'skip' },
    { primaryKey: ['id'], onConflict: 'update' },
    { primaryKey: ['id'], onConflict: 'update', version: 'id' },
    { indexes: [btree('id')] },
    { indexes: [unique('id')] },
    { indexes: [brin('id')] },
    { indexes: [hash('id')] },
  ]

  it('is another for every other declaration', () => {
    expect(new Set(declarations.map((options) => define(options).fingerprint)).size).toBe(declarations.length)
  })

  it('is the same for the same declaration', () => {
    for (const options of declarations)
      expect(define(options).fingerprint).toBe(define({ ...options }).fingerprint)
    expect(define({}).fingerprint).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('the type of a row', () => {
  const model = defineModel({
    table: 't',
    columns: {
      text: text().notNull(),
      varchar: varchar(3),
      integer: integer().default(1),
      bigint: bigint().notNull().from('x').nullIf('-'),
      double: doublePrecision().transform((cell) => cell),
      numeric: numeric(10, 2).notNull(),
      boolean: boolean(),
      date: date(),
      timestamp: timestamp(),
      timestamptz: timestamptz().notNull(),
      uuid: uuid(),
      json: json(),
      custom: custom('inet').notNull(),
    },
    primaryKey: ['text', 'bigint'],
  })

  it('follows from the columns', () => {
    expectTypeOf<RowOf<typeof model>>().toEqualTypeOf<{
      readonly text: string
      readonly varchar: string | null
      readonly integer: number
      readonly bigint: bigint
      readonly double: number | null
      readonly numeric: string
      readonly boolean: boolean | null
      readonly date: string | null
      readonly timestamp: string | null
      readonly timestamptz: string
      readonly uuid: string | null
      readonly json: string | null
      readonly custom: string
    }>()
    expectTypeOf(decodeRecord(model, {})).toEqualTypeOf<
      { readonly row: RowOf<typeof model> } | { readonly fault: Fault }
    >()
  })

  it('a default that the column itself would refuse is refused at once', () => {
    for (const column of [date().default('2024-13-01'), integer().default(1.5), text().default('a\0b')]) {
      expect(() => defineModel({ table: 't', columns: { value: column } })).toThrow(
        /^model t: value: the default/,
      )
    }
  })

  it('a model of any columns is a model', () => expectTypeOf(model).toExtend<Model>())

  it('a key, a version and a default must fit the columns', () => {
    // @ts-expect-error -- there is no column of that name
    expect(() => defineModel({ table: 't', columns: { a: text() }, primaryKey: ['b'] })).toThrow(
      'no column b',
    )
    // @ts-expect-error -- there is no column of that name
    expect(() => defineModel({ table: 't', columns: { a: text() }, version: 'b' })).toThrow('no column b')
    // @ts-expect-error -- the default of a number is a number
    integer().default('1')
    // @ts-expect-error -- NULL is no default
    integer().default(null)
  })
})
