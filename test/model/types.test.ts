import fc from 'fast-check'
import { columnTypeContract } from '../contract/type/type.ts'
import { describe, expect, it } from 'vitest'
import {
  array,
  bigint,
  boolean,
  bytea,
  type Column,
  custom,
  date,
  decodeRecord,
  defineModel,
  doublePrecision,
  enumeration,
  integer,
  interval,
  json,
  numeric,
  type RowOf,
  text,
  time,
  timestamptz,
  uuid,
  varchar,
} from 'lading'
import { verdict } from './helpers.ts'

columnTypeContract('time', {
  column: time(),
  accepts: [
    ['00:00', '0'],
    ['12:30:15', '45015000000'],
    ['23:59:59.999999', '86399999999'],
    ['12:30:15.5000000', '45015500000'],
    ['24:00', '86400000000'],
    ['24:00:00.000', '86400000000'],
    ['9:30', '34200000000'],
    ['0:00:00.25', '250000'],
  ],
  refuses: [
    '',
    '24:01',
    '24:00:00.1',
    ':30',
    '9:3',
    '9:60',
    'a:30',
    '/:30',
    '9:30 PM',
    '12:60',
    '12:00:60',
    'noon',
    '12:00Z',
    '12:00 PM',
    '12:00:00.1234567',
    ' 12:00',
  ],
})

columnTypeContract('bytea', {
  column: bytea(),
  accepts: [
    ['\\x', ''],
    ['\\x00FFab', '00ffab'],
  ],
  refuses: ['', '00ff', '\\x0', '\\x0g', '\\x 00', 'x00', 'AP8=', '\\000'],
})
columnTypeContract('bytea of hexadecimal digits', {
  column: bytea({ encoding: 'hex' }),
  accepts: [
    ['', ''],
    ['00FFab', '00ffab'],
  ],
  refuses: ['0', '\\x00', '0g', '00 ff'],
})
columnTypeContract('bytea of base64', {
  column: bytea({ encoding: 'base64' }),
  accepts: [
    ['', ''],
    ['AP+/', '00ffbf'],
    ['AA==', '00'],
  ],
  refuses: ['AA', 'AA=', 'AB==', 'AP-_', 'A A=', '\\x00'],
})

columnTypeContract('enumeration', {
  column: enumeration('open', 'in transit', 'ä'),
  accepts: [
    ['open', 'open'],
    ['in transit', 'in transit'],
    ['ä', 'ä'],
  ],
  refuses: ['', 'Open', 'open ', 'a'],
})

columnTypeContract('array of integer', {
  column: array(integer()),
  accepts: [
    ['{}', '{}'],
    ['[]', '{}'],
    ['{1,2}', '{1,2}'],
    [' { 1 , null } ', '{1,NULL}'],
    ['[1, null, -3]', '{1,NULL,-3}'],
    ['["7"]', '{7}'],
    ['[[1,2],[3,4]]', '{{1,2},{3,4}}'],
    ['{{1},{2}}', '{{1},{2}}'],
    [' [0:1]={3,4}', '[0:1]={3,4}'],
    ['[1:1][-2:-1]= {{3,4}}', '[1:1][-2:-1]={{3,4}}'],
  ],
  refuses: [
    '',
    '1',
    '{1',
    '{1,}',
    '{,1}',
    '{1}x',
    '{1.5}',
    '{1 2}',
    '[1,]',
    '[1] 2',
    '[1.0]',
    '[true]',
    '[{"a":1}]',
    '[1:2]=[3,4]',
    '[1:2]={3',
  ],
})

columnTypeContract('array of text', {
  column: array(text()),
  accepts: [
    ['{a,"b c",NULL,"NULL",null}', '{a,"b c",NULL,"NULL",NULL}'],
    ['{ a b , "c" }', '{"a b",c}'],
    ['{"a\\"b","c\\\\d",e\\,f}', '{"a\\"b","c\\\\d","e,f"}'],
    ['["a,b", "", "{}", null]', '{"a,b","","{}",NULL}'],
    ['["\\u00e4\\n"]', '{"ä\n"}'],
    ['[1.50, true, {"a": ["]"]}]', '{"1.50",true,"{\\"a\\": [\\"]\\"]}"}'.replace('"1.50"', '1.50')],
  ],
  refuses: ['a', '{"a}', '{a"b}', '["\\ud800"]', '["\\u0000"]', "['a']"],
})

describe('elements of an array', () => {
  it.each<readonly [Column, string, string]>([
    [array(bigint()), '[9007199254740993]', '{9007199254740993}'],
    [array(numeric(6, 2)), '[1.50, "2"]', '{1.50,2}'],
    [array(doublePrecision()), '[-0.0, 1e3]', '{-0,1000}'],
    [array(boolean()), '{yes,f}', '{true,false}'],
    [array(date()), '["2021-01-02"]', '{2021-01-02}'],
    [array(time()), '{12:30}', '{12:30:00.000000}'],
    [array(timestamptz({ zone: 'Europe/Berlin' })), '{2021-01-02 12:00}', '{2021-01-02T11:00:00.000000Z}'],
    [array(uuid()), '{0123456789ABCDEF0123456789abcdef}', '{0123456789abcdef0123456789abcdef}'],
    [array(bytea({ encoding: 'base64' })), '{AP8=}', '{"\\\\x00ff"}'],
    [array(json()), '["a", 1.0, {"b": 1}, null]', '{"\\"a\\"",1.0,"{\\"b\\": 1}",NULL}'],
    [array(custom('inet')), '["::1"]', '{::1}'],
    [array(varchar(2)), '{ab}', '{ab}'],
  ])('are decoded by their own type: %#', (column, source, value) => {
    expect(verdict(column, source)).toBe(value)
  })

  it('are refused by their own type', () => {
    expect(verdict(array(date()), '{now}')).toEqual({ refused: 'BAD_DATE' })
    expect(verdict(array(varchar(2)), '["abc"]')).toEqual({ refused: 'TOO_LONG' })
    expect(verdict(array(integer()), '[2147483648]')).toEqual({ refused: 'OUT_OF_RANGE' })
  })

  it('come back, whatever text they are, from JSON and from the text of PostgreSQL', () => {
    const texts = fc.array(fc.option(fc.string({ unit: 'binary' }).filter((each) => !each.includes('\0'))))
    fc.assert(
      fc.property(texts, (elements) => {
        const value = verdict(array(text()), JSON.stringify(elements))
        expect(verdict(array(text()), String(value))).toBe(value)
      }),
    )
  })
})

describe('in a model', () => {
  it.each<readonly [Column, string]>([
    [enumeration(), 'at least one value, each once'],
    [enumeration('a', 'a'), 'at least one value, each once'],
    [enumeration(1 as never), '1 is not a text'],
    [array('integer' as never), "'integer' is not a column type"],
    [array(array(integer())), 'any number of dimensions'],
    [array(integer().notNull()), 'have a type and no options'],
    [array(integer().default(1)), 'have a type and no options'],
    [array(timestamptz({ tz: 'UTC' } as never)), 'there is no option tz (did you mean zone?)'],
    [array(timestamptz({ zone: 7 } as never)), 'zone 7 is not a text'],
    [array(varchar(0)), 'varchar needs a length'],
    [bytea({ encoding: 'utf8' as never }), "encoding 'utf8' is not one of 'hex', 'base64'"],
    [enumeration('a').default('b' as never), '"b" is not one of a'],
    [timestamptz({ zone: 7 } as never), 'zone 7 is not a text'],
    [date().generated('processedOn', { zone: 7 } as never), 'zone 7 is not a text'],
    [text().generated('lineNumber' as never), "'lineNumber' is not one of 'recordKey'"],
  ])('what cannot be meant is refused: %#', (column, problem) => {
    expect(() => defineModel({ table: 't', columns: { value: column } })).toThrow(problem)
  })

  it('rows have their types, and decodeRecord reads them', () => {
    const model = defineModel({
      table: 't',
      columns: {
        state: enumeration('open', 'closed').notNull(),
        at: time().notNull(),
        span: interval().notNull(),
        data: bytea().notNull(),
        numbers: array(integer()).notNull(),
      },
    })
    const state: RowOf<typeof model>['state'] = 'open'
    expect(
      decodeRecord(model, {
        state,
        at: '1:30'.padStart(5, '0'),
        span: '1 day',
        data: '\\x6869',
        numbers: '[1]',
      }),
    ).toEqual({
      row: { state: 'open', at: '01:30:00.000000', span: '1 day', data: '\\x6869', numbers: '{1}' },
    })
  })
})
