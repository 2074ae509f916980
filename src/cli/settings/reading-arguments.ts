/** A reading as the options that state it. */
import type { Notation } from '../../core/notation.ts'
import type { Reading } from '../../format/reading.ts'
import { formatOfPath } from '../../format/registry.ts'
import { quoted } from '../../core/shell.ts'

/** Of a load without a model: what it finds by itself is left out. */
export const statedArguments = (stated: Reading): readonly string[] => [
  ...(stated.format === undefined ? [] : [`--format ${stated.format}`]),
  ...option('delimiter', delimiterName(stated.dialect?.delimiter)),
  // What is usual was stated against what the file looks like.
  ...(stated.dialect?.quote === '"' ? option('quote', '"') : []),
  ...(stated.dialect?.multiline === true ? ['--multiline'] : []),
  ...writtenArguments(stated),
  ...notationArguments(stated.notation ?? {}),
  ...Object.entries(stated.notations ?? {}).flatMap(([field, each]) => notationArguments(each, `${field}=`)),
]

/** Of a load with a model, which has the notations and finds nothing but the format, by the suffix. */
export function wholeArguments(path: string, reading: Reading): readonly string[] {
  const { format = 'csv', dialect = {} } = reading
  const { delimiter = ',' } = dialect
  const usual = formatOfPath(path)
  const named = format === 'csv' && usual === 'tsv' && delimiter === '\t' ? usual : format
  const isUsual = delimiter === (named === 'tsv' ? '\t' : ',')
  return [
    ...(named === usual ? [] : [`--format ${named}`]),
    ...(isUsual ? [] : option('delimiter', delimiterName(delimiter))),
    ...writtenArguments(reading),
  ]
}

function writtenArguments(reading: Reading): readonly string[] {
  const { records, unwrap, encoding, lineEnd, footerLines, dialect = {}, skipWhen = {} } = reading
  return [
    ...option('records', records),
    ...option('unwrap', unwrap?.join(',')),
    ...option('encoding', encoding),
    ...option('line-end', lineEnd),
    ...option('skip-lines', dialect.skipLines),
    ...option('footer-lines', footerLines),
    ...option('comment', dialect.comment),
    ...(dialect.quote === undefined || dialect.quote === '"' ? [] : option('quote', dialect.quote || 'none')),
    ...(dialect.multiline === false ? ['--no-multiline'] : []),
    ...option('escape', dialect.escape === '' ? 'none' : dialect.escape),
    ...(dialect.trim === undefined ? [] : [dialect.trim ? '--trim' : '--no-trim']),
    ...option('ragged', dialect.ragged),
    ...option('blank-lines', dialect.blankLines),
    ...option('header-rows', dialect.headerRows),
    ...(dialect.header === false ? ['--no-header'] : []),
    ...Object.entries(skipWhen).flatMap(([field, texts]) =>
      [texts].flat().flatMap((text) => option('skip-when', `${field}=${text}`)),
    ),
  ]
}

const option = (name: string, value: string | number | undefined): readonly string[] =>
  value === undefined ? [] : [`--${name} ${quoted(String(value))}`]

const delimiterName = (delimiter: string | undefined) => (delimiter === '\t' ? '\\t' : delimiter)

const epochs = { s: 'epoch-s', ms: 'epoch-ms', us: 'epoch-us', excel: 'excel-days' } as const

/** `field`: empty, or `FIELD=` of signs and times of one field. */
function notationArguments(notation: Notation, field = ''): readonly string[] {
  const { nulls, decimal, thousands, money, round, pattern, epoch, excelText } = notation
  const ofField = (name: string, value: string | undefined) => option(name, value && field + value)
  return [
    ...option('null', nulls?.join(',')),
    ...ofField('decimal', decimal),
    ...ofField('thousands', thousands),
    ...(money === true ? ['--money'] : option('money', money)),
    ...ofField('date-format', pattern ?? (epoch && epochs[epoch])),
    ...(round === true ? ['--round'] : []),
    ...(excelText === true ? ['--excel-text'] : []),
  ]
}
