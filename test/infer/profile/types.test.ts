import { describe, expect, it } from 'vitest'
import { questionText } from '../../../src/infer/decision.ts'
import { questionOf } from '../../../src/infer/profile/questions.ts'
import { decidingWitness, reasonOf } from '../../../src/infer/profile/reasons.ts'
import { propose } from '../../../src/infer/profile/propose.ts'
import { shownType } from '../../../src/infer/profile/found-type.ts'
import { typeOf } from '../../../src/infer/profile/types.ts'
import { columnOf, inQuotes, profileOf } from './columns.ts'

const shown = (...cells: readonly string[]) => {
  const type = typeOf(columnOf(...cells))
  return type.notation === undefined ? shownType(type) : `${shownType(type)} ${JSON.stringify(type.notation)}`
}

/** Values, and the type of a column that holds them all. */
const cases: readonly (readonly [string, readonly string[], string])[] = [
  ['whole numbers', ['1', '-7', '0', '2147483647', '-2147483648'], 'integer'],
  ['more than 32 bits', ['1', '2147483648'], 'bigint'],
  ['less than 32 bits', ['1', '-2147483649'], 'bigint'],
  ['64 bits', ['9223372036854775807', '-9223372036854775808'], 'bigint'],
  ['2^63', ['9223372036854775808'], 'numeric'],
  ['40 digits', ['1234567890123456789012345678901234567890'], 'numeric'],
  ['53 bits and a decimal', ['9007199254740993', '0.5'], 'numeric'],
  ['prices', ['1.10', '19.99', '0.00'], 'numeric(12,2)'],
  ['prices of many digits', ['12345678901.10'], 'numeric(18,2)'],
  ['versions of two parts', ['1.10', '1.9'], 'numeric'],
  ['measurements', ['0.12345678', '0.87654321'], 'numeric'],
  ['whole numbers and decimals', ['1', '2.5'], 'numeric'],
  ['doubles', ['0.1', '1e-07', '27.3'], 'double precision'],
  ['an exponent alone', ['1.5E+300'], 'double precision'],
  ['fixed exponents', ['1.500e+02', '0.000e+00'], 'double precision'],
  ['an exponent beyond a double', ['1e400'], 'text'],
  ['an exponent below a double', ['1e-400'], 'text'],
  ['digits beyond a double', ['0.12345678901234567890', '1e-7'], 'text'],
  ['a short form beside a number', ['4001234567890', '4.01234E+12'], 'text'],
  ['leading zeros', ['01', '02', '10'], 'text'],
  ['a post code', ['01067', '49170'], 'text'],
  ['a plus sign', ['+5', '6'], 'text'],
  ['no digit before the point', ['.5', '0.25'], 'text'],
  ['a negative zero', ['-0', '1'], 'text'],
  ['a negative zero with decimals', ['-0.00', '1.00'], 'text'],
  ['a negative zero with a comma', ['"-0,00"', '"1,00"'], 'text'],
  ['a time with a letter', ['10:00:00.12', '10:00:00.1x'], 'text'],
  ['digit groups of programs', ['1_000', '2'], 'text'],
  ['hexadecimal', ['0x1F', '0x20'], 'text'],
  ['nan', ['nan', '1.5'], 'text'],
  ['inf', ['inf', '1.5'], 'text'],
  ['a minus sign of print', ['\u22125', '6'], 'text'],
  ['true and false', ['true', 'false'], 'boolean'],
  ['TRUE and FALSE', ['TRUE', 'FALSE'], 'boolean'],
  ['two spellings', ['true', 'FALSE'], 'text'],
  ['0 and 1', ['0', '1'], 'integer'],
  ['T and F', ['T', 'F'], 'text'],
  ['yes and no', ['yes', 'no'], 'text'],
  ['true and yes', ['true', 'yes'], 'text'],
  ['dates', ['2024-02-29', '0001-01-01'], 'date'],
  ['a day that is none', ['2023-02-29'], 'text'],
  ['the year 0', ['0000-01-01'], 'text'],
  ['small numbers', ['1-2-3', '4-5-6'], 'text'],
  ['versions of three parts', ['24.04.1', '22.04.5'], 'text'],
  ['two digits of a year', ['10.11.12', '08.09.10'], 'text'],
  ['digits that could be a day', ['20210102'], 'integer'],
  ['dates and times', ['2021-01-01 00:00', '2021-01-01T12:30:00.5'], 'timestamp'],
  ['a date beside a time', ['2021-01-01', '2021-01-01 00:00'], 'text'],
  ['instants', ['2021-01-01T00:00:00Z', '2021-01-01 00:00:00+00'], 'timestamptz'],
  ['one offset', ['2021-01-01T00:00:00+02:00', '2021-06-01T00:00:00+0200'], 'timestamptz'],
  ['two offsets', ['2021-01-01T00:00:00+01:00', '2021-06-01T00:00:00+02:00'], 'text'],
  [
    'two offsets behind minutes',
    ['2021-01-01T00:00+02:00', '2021-01-01T00:00+03:00', '2021-01-01T00:00+02:00'],
    'text',
  ],
  ['a minute that is none', ['2021-01-01T00:00:00Z', '2021-01-01T00:01:00Z', '2021-01-01T00:60:00Z'], 'text'],
  ['an hour that is none', ['2021-01-01T00:00:00Z', '2021-01-01T01:00:00Z', '2021-01-01T25:00:00Z'], 'text'],
  ['a zone in some rows', ['2021-01-01T00:00:00Z', '2021-01-01T00:00:00'], 'text'],
  ['a zone by name', ['2021-01-01T00:00:00 Europe/Berlin'], 'text'],
  ['nanoseconds', ['2021-01-01T00:00:00.123456789'], 'text'],
  ['a leap second', ['2021-01-01T23:59:60'], 'text'],
  ['the end of a day', ['2021-01-01T24:00:00'], 'text'],
  ['times of day', ['12:30', '23:59:59.5'], 'time'],
  ['minutes and seconds', ['59:59', '12:30'], 'text'],
  ['UUIDs', ['8d2c9b1e-0000-4000-8000-00000000abcd'], 'uuid'],
  ['UUIDs in capitals', ['8D2C9B1E-0000-4000-8000-00000000ABCD'], 'text'],
  ['32 hexadecimal digits', ['8d2c9b1e00004000800000000000abcd'], 'text'],
  ['documents', [inQuotes('{"a":1}'), inQuotes('[1,2]')], 'json'],
  ['what looks like a document', ['[a]', '{b}'], 'text'],
  ['decimal commas', ['"0,25"', '"1,5"'], 'numeric {"decimal":","}'],
  ['decimal commas and points', ['"1.234,50"', '"0,25"'], 'numeric(12,2) {"decimal":",","thousands":"."}'],
  ['groups between points', ['1.234.567', '12'], 'integer {"decimal":",","thousands":"."}'],
  ['a point that another value explains', ['1.234', '"0,5"'], 'numeric {"decimal":",","thousands":"."}'],
  ['groups between commas', ['"1,234.5"', '"12,345.6"'], 'numeric(12,1) {"thousands":","}'],
  ['groups between spaces', ['1 234', '5'], 'integer {"thousands":" "}'],
  ['groups of the Swiss', ["1'234.50"], 'numeric(12,2) {"thousands":"\'"}'],
  ['a comma with two meanings', ['"1,234"', '7'], 'text'],
  ['commas and points that disagree', ['"1,234.5"', '"1.234,5"'], 'text'],
  ['money', ['$5.00', '$1.00'], 'text'],
  ['percentages', ['5%', '6%'], 'text'],
  ['days first', ['31/12/2024', '01/02/2024'], 'date {"pattern":"DD/MM/YYYY"}'],
  ['months first', ['12/31/2024', '1/2/2024'], 'date {"pattern":"M/D/YYYY"}'],
  ['days first between points', ['01.02.2024', '03.04.2024'], 'date {"pattern":"DD.MM.YYYY"}'],
  ['either first', ['01/02/2024', '03/04/2024'], 'text'],
  ['days first and months first', ['31/12/2024', '12/31/2024'], 'text'],
  ['points', ['31.12.2024 23:59', '1.2.2024 8:05'], 'timestamp {"pattern":"D.M.YYYY H:mm"}'],
  ['twelve hours', ['8/14/1998 09:00:00 AM'], 'timestamp {"pattern":"M/D/YYYY h:mm:ss A"}'],
  ['a time of day with AM', ['09:00:00 AM', '12:05:00 PM'], 'time {"pattern":"hh:mm:ss A"}'],
  ['names of months', ['02-Jan-2021', '31-Dec-2021'], 'date {"pattern":"DD-MMM-YYYY"}'],
  ['names of months in front', ['Jan 1 2000', 'Dec 31 1999'], 'date {"pattern":"MMM D YYYY"}'],
  ['names of months before hyphens', ['Jan-01-1995', 'Mar-31-1999'], 'date {"pattern":"MMM-DD-YYYY"}'],
  ['years first', ['2021/01/31'], 'date {"pattern":"YYYY/MM/DD"}'],
  ['one digit of a month', ['2024-1-5 9:30:00'], 'timestamp {"pattern":"YYYY-M-D H:mm:ss"}'],
  ['two forms of dates', ['2021-01-01', '02.01.2021'], 'text'],
  ['a day that is none in any form', ['31/02/2024'], 'text'],
  ['spaces', [' 7 ', '7'], 'text'],
  ['no values', ['', ''], 'text'],
  ['missing values', ['1', '', '2'], 'integer'],
  ['empty texts in quotes', ['"1"', '2', '""'], 'text'],
  ['every cell in quotes', ['"1"', '"2"', '""'], 'integer {"nulls":[""]}'],
  ['markers', ['1', 'NA', '2'], 'text'],
  ['addresses', ['10.0.0.1', '192.168.0.1'], 'text'],
]

it.each(cases)('%s', (_, cells, expected) => {
  expect(shown(...cells)).toBe(expected)
  expect(shown(...cells.toReversed()), 'the order of the rows does not matter').toBe(expected)
})

describe('the reason of a type', () => {
  const reason = (...cells: readonly string[]) => reasonOf(columnOf(...cells), cells.length).because

  it('is the line that widened it last, and its value', () => {
    expect(reason('1', '3000000000', '2', 'A-17', 'x')).toBe('of line 5: "A-17"')
    expect(reason('1', '3000000000', '2')).toBe('of line 3: "3000000000"')
    expect(decidingWitness(columnOf('1', '2', '1.5'))).toMatchObject({ line: 4, text: '1.5' })
  })
  it('says what is odd about the value', () => {
    expect(reason('1', '007')).toBe('of line 3: "007" (a leading zero)')
    expect(reason('1', '+7')).toBe('of line 3: "+7" (a plus sign)')
    expect(reason('1', 'NA')).toBe('of line 3: "NA" (which often means no value)')
  })
  it('is that all values are alike', () => {
    expect(reason('1', '2', '')).toBe('all 2 values have this form')
    expect(reason('', '')).toBe('no record has a value in it')
  })
  it('cuts a long value, and shows what cannot be seen', () => {
    expect(reason('1', `\u200b${'é'.repeat(100)}`)).toMatch(/^of line 3: "\\u\{200b\}é{28,29}…"$/)
  })
})

describe('what could be meant is a question with its options, and stays text', () => {
  const question = (...cells: readonly string[]) => {
    const asked = questionOf(columnOf(...cells))
    return asked && questionText(asked)
  }
  const readings = (...cells: readonly string[]) =>
    questionOf(columnOf(...cells))?.readings.map(({ option }) => option)

  it('says all of it', () => {
    expect(question('1', 'NA', 'NULL', '2')).toBe(
      'value is text because of line 3: "NA" (which often means no value): it stays text or --null NULL,NA (integer)',
    )
  })
  it.each([
    ['$1.083', 'point', '--decimal value=.', '--decimal value=, --thousands value=.'],
    ['"$1,083"', 'comma', '--decimal value=,', '--thousands value=,'],
    ['"1,083"', 'comma', '--decimal value=,', '--thousands value=,'],
  ])('names the sign that %s has: the %s', (cell, sign, decimals, thousands) => {
    const money = cell.includes('$') ? '--money ' : ''
    const asked = question(cell)
    expect(asked).toContain(`${money}${decimals} (the ${sign} stands before decimals)`)
    expect(asked).toContain(`${money}${thousands} (the ${sign} stands between thousands)`)
  })
  it.each([
    [['1', '#N/A'], ["--null '#N/A'"]],
    [['1.5', ' 2.5 ', '-'], ['--trim --null -']],
    [['1', '""'], ["--null ''"]],
    [['01/02/2024'], ['--date-format value=DD/MM/YYYY', '--date-format value=MM/DD/YYYY']],
    [
      ['01.02.24', '01.02.25'],
      ['--date-format value=DD.MM.YY', '--date-format value=MM.DD.YY', '--date-format value=YY.MM.DD'],
    ],
    [['31.12.99'], ['--date-format value=DD.MM.YY']],
    [['"1,234"'], ['--thousands value=,', '--decimal value=,']],
    [['T', 'F', 'N/A'], ['--null N/A --columns value:boolean']],
    [['2021-01-01T00:00:00+01:00', '2021-06-01T00:00:00+02:00'], ['--columns value:timestamptz']],
    [['8D2C9B1E-0000-4000-8000-00000000ABCD'], ['--columns value:uuid']],
    [['1e+05', '99999'], ['--columns value:double']],
    [['$5.00', '(12.50)'], ['--money']],
    [['"1 200,00 €"', '"85,50 €"', '"-3,00 €"'], ["--money --decimal value=, --thousands 'value= '"]],
    [['"1.234,56-"', '"99,00"'], ['--money --decimal value=, --thousands value=.']],
    [["CHF 1'000.00"], ["--money --thousands 'value='\\'''"]],
    [['"$1,234"'], ['--money --thousands value=,', '--money --decimal value=,']],
    [
      ['"5,00 €"', '"7,00 $"'],
      ["'€'", "'$'", 'any'].map(
        (currency) => `--columns value:numeric --money ${currency} --decimal value=,`,
      ),
    ],
    [['.5', '-.25', '1.5'], ['--columns value:numeric']],
    [['5.', '0.', '7'], ['--columns value:numeric']],
    [['-0.00', '2.50', '-0'], ['--columns value:numeric']],
    [['.5', 'NA'], ['--null NA --columns value:numeric']],
    [['1/31/24 8:05 AM'], ["--date-format 'value=M/D/YY h:mm A'"]],
    [['"=""00099"""'], ['--excel-text']],
  ])('%j', (cells, options) => expect(readings(...cells)).toEqual(options))

  it.each([
    [['A-17', '1']],
    [['01067']],
    [['1', '2']],
    [['M', 'F']],
    [['31/12/2024', 'NA ok']],
    [['"$1.234,5"', '"$1,234.5"']],
    [['S1', 'S2']],
    [['ABC-1', 'ABC-2']],
    [['5%']],
    [['000', '5']],
    [['01.', '5']],
    [['+5', '6']],
    [['.5', 'x']],
    [['1.2.24']],
  ])('nothing is asked of %j', (cells) => expect(question(...cells)).toBeUndefined())
})

describe('a column of a new table forbids NULL', () => {
  const forbids = (...cells: readonly string[]) => propose(profileOf(['a'], ...cells)).columns[0]?.notNull

  it('where every record has a value', () => expect(forbids('1', '2')).toBe(true))
  it('not where a cell is empty', () => expect(forbids('1', '', '2')).toBe(false))
  it('not where an empty cell in quotes is no value', () => expect(forbids('"1"', '""', '"2"')).toBe(false))
  it('where an empty cell in quotes is an empty text', () => expect(forbids('"x"', '""')).toBe(true))
})
