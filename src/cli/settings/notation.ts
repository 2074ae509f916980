/** How the values of files are written, and which records are left out, as options. */
import { InvalidArgumentError, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import type { Notation, Notations } from '../../core/notation.ts'
import type { SkipWhen } from '../../core/skip.ts'
import type { Reading } from '../../format/reading.ts'
import { notationsProblem } from '../../model/notation/notation.ts'

const epochs: Readonly<Record<string, NonNullable<Notation['epoch']>>> = {
  'epoch-s': 's',
  'epoch-ms': 'ms',
  'epoch-us': 'us',
  'excel-days': 'excel',
}

type Times = Pick<Notation, 'pattern' | 'epoch'>

/** For every field, or as `FIELD=FORMAT` for one. */
interface DateFormat {
  readonly field?: string
  readonly times: Times
}

function dateFormat(text: string, earlier: readonly DateFormat[] = []): readonly DateFormat[] {
  const [, field, format = text] = /^(.+)=([^=]*)$/s.exec(text) ?? []
  const epoch = Object.hasOwn(epochs, format) ? epochs[format] : undefined
  const times = epoch === undefined ? { pattern: format } : { epoch }
  requireOne(field, earlier)
  return [...earlier, field === undefined ? { times } : { field, times }]
}

const nulls = (text: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  ...text.split(','),
]

/** For every field, or as `FIELD=SIGN` for one. */
interface DecimalSign {
  readonly field?: string
  readonly sign: ',' | '.'
}

function decimalSign(text: string, earlier: readonly DecimalSign[] = []): readonly DecimalSign[] {
  const [, field, sign = text] = /^(.+)=([^=]*)$/s.exec(text) ?? []
  if (sign !== ',' && sign !== '.') throw new InvalidArgumentError("Not ',' or '.'.")
  requireOne(field, earlier)
  return [...earlier, field === undefined ? { sign } : { field, sign }]
}

function requireOne(field: string | undefined, earlier: readonly { readonly field?: string }[]): void {
  if (earlier.some((each) => each.field === field))
    throw new InvalidArgumentError(field === undefined ? 'Give one for all fields.' : 'Give one for a field.')
}

function skipWhen(
  text: string,
  earlier: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const [, field, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (field === undefined || value === undefined) throw new InvalidArgumentError('Not FIELD=TEXT.')
  const before = Object.hasOwn(earlier, field) ? (earlier[field] as readonly string[]) : []
  return { ...earlier, [field]: [...before, value] }
}

/** How values are written. */
export const valueOptions = () => [
  new Option('--null <texts>', 'texts that mean no value, for example NA,-').argParser(nulls),
  new Option(
    '--decimal <sign>',
    "decimal sign of numbers (default: '.'); FIELD=SIGN for one field; may be repeated",
  ).argParser(decimalSign),
  new Option('--thousands <sign>', "sign between groups of three digits: '.', ',', ' ' or \"'\""),
  new Option(
    '--money [currency]',
    'numbers may have a currency (any, or this one), and (12.50) or 12.50- is negative',
  ).argParser((text) => (text === 'any' ? true : text)),
  new Option(
    '--date-format <format>',
    'dates and times, such as DD.MM.YYYY or epoch-ms; or excel-days; FIELD=FORMAT for one field; may be repeated',
  ).argParser(dateFormat),
  new Option('--excel-text', '="007" is the text 007'),
]

export const notationOptions = () => [
  ...valueOptions(),
  new Option(
    '--skip-when <field=text>',
    'leave out records whose field has this text; none: no value; may be repeated; receipts count them',
  ).argParser(skipWhen),
]

export interface ValueFlags {
  readonly null?: readonly string[]
  readonly decimal?: readonly DecimalSign[]
  readonly thousands?: string
  readonly money?: true | string
  readonly dateFormat?: readonly DateFormat[]
  readonly excelText?: true
}

export interface NotationFlags extends ValueFlags {
  readonly skipWhen?: SkipWhen
}

export const notationSettings = (flags: NotationFlags): Pick<Reading, keyof Notations | 'skipWhen'> => ({
  ...valueSettings(flags),
  ...(flags.skipWhen && { skipWhen: flags.skipWhen }),
})

/** Throws `USAGE` for a notation that nothing is written in. */
export function valueSettings(flags: ValueFlags): Notations {
  const { decimal: signs = [], thousands, money, dateFormat: formats = [], excelText } = flags
  const decimal = signs.find(({ field }) => field === undefined)?.sign
  const notation: Notation = {
    ...(flags.null !== undefined && { nulls: flags.null }),
    ...(decimal !== undefined && { decimal }),
    ...(thousands !== undefined && { thousands }),
    ...(money !== undefined && { money }),
    ...(excelText && { excelText }),
    ...formats.find(({ field }) => field === undefined)?.times,
  }
  const ofFields = new Map<string, Notation>()
  const parts = [
    ...signs.map(({ field, sign }) => ({ field, part: { decimal: sign } })),
    ...formats.map(({ field, times }) => ({ field, part: times })),
  ]
  for (const { field, part } of parts)
    if (field !== undefined) ofFields.set(field, { ...ofFields.get(field), ...part })
  const notations = {
    ...(Object.keys(notation).length > 0 && { notation }),
    ...(ofFields.size > 0 && { notations: Object.fromEntries(ofFields) }),
  }
  const problem = notationsProblem(notations)
  if (problem !== undefined)
    throw new LadingError('USAGE', `--decimal, --thousands, --money and --date-format: ${problem}`)
  return notations
}
