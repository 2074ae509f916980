/** A reading as the options that state it. */
import type { Notation } from '../../core/notation.ts'
import type { Reading } from '../../format/reading.ts'
import { quoted } from './hint.ts'

/** What a load without a model finds by itself is left out, unless `isWhole`. */
export function readingArguments(reading: Reading, stated: Reading, isWhole: boolean): readonly string[] {
  const { format, records, unwrap, encoding, lineEnd, footerLines } = isWhole ? reading : stated
  const { dialect = {} } = isWhole ? reading : stated
  const option = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name} ${quoted(String(value))}`]
  return [
    ...(format === undefined || format === 'csv' ? [] : [`--format ${format}`]),
    ...option('records', records),
    ...option('unwrap', unwrap?.join(',')),
    ...option('encoding', encoding),
    ...option('line-end', lineEnd),
    ...option('skip-lines', dialect.skipLines),
    ...option('footer-lines', footerLines),
    ...option('comment', dialect.comment),
    ...(dialect.delimiter === undefined || dialect.delimiter === ','
      ? []
      : option('delimiter', delimiterName(dialect.delimiter))),
    ...(dialect.quote === undefined || dialect.quote === '"' ? [] : option('quote', dialect.quote || 'none')),
    ...option('escape', dialect.escape),
    ...(dialect.trim === true ? ['--trim'] : []),
    ...option('ragged', dialect.ragged),
    ...option('header-rows', dialect.headerRows),
    ...(dialect.header === false ? ['--no-header'] : []),
    ...(isWhole ? [] : notationArguments(stated.notation ?? {})),
    ...(isWhole
      ? []
      : Object.entries(stated.notations ?? {}).flatMap(([field, each]) => timesOf(each, `${field}=`))),
  ]
}

const delimiterName = (delimiter: string): string => (delimiter === '\t' ? '\\t' : delimiter)

const epochs = { s: 'epoch-s', ms: 'epoch-ms', us: 'epoch-us', excel: 'excel-days' } as const

function notationArguments(notation: Notation): readonly string[] {
  const { nulls, decimal, thousands, money, excelText } = notation
  return [
    ...(nulls === undefined ? [] : [`--null ${quoted(nulls.join(','))}`]),
    ...(decimal === undefined ? [] : [`--decimal ${quoted(decimal)}`]),
    ...(thousands === undefined ? [] : [`--thousands ${quoted(thousands)}`]),
    ...(money === undefined ? [] : [money === true ? '--money' : `--money ${quoted(money)}`]),
    ...timesOf(notation, ''),
    ...(excelText === true ? ['--excel-text'] : []),
  ]
}

function timesOf({ pattern, epoch }: Notation, field: string): readonly string[] {
  const format = pattern ?? (epoch && epochs[epoch])
  return format === undefined ? [] : [`--date-format ${quoted(field + format)}`]
}
