/** How the values of files are written, and which records are left out, as options. */
import { InvalidArgumentError, Option } from 'commander'
import { LadingError } from '../../core/errors.ts'
import type { Notation, Notations } from '../../core/notation.ts'
import type { SkipWhen } from '../../core/skip.ts'
import type { Reading } from '../../format/reading.ts'
import { notationsProblem } from '../../model/notation/notation.ts'
import { isCurrency, isSeparator } from '../../model/notation/number.ts'

const epochs: Readonly<Record<string, NonNullable<Notation['epoch']>>> = {
  'epoch-s': 's',
  'epoch-ms': 'ms',
  'epoch-us': 'us',
  'excel-days': 'excel',
}

/** What an option says of every field, or as `FIELD=…` of one. */
interface Said {
  readonly field?: string
  readonly said: Notation
}

const ofFields =
  (read: (text: string) => Notation) =>
  (text: string, earlier: readonly Said[] = []): readonly Said[] => {
    const [, field, value = text] = /^(.+)=([^=]*)$/s.exec(text) ?? []
    if (earlier.some((each) => each.field === field))
      throw new InvalidArgumentError(
        field === undefined ? 'Give one for all fields.' : 'Give one for a field.',
      )
    return [...earlier, { ...(field !== undefined && { field }), said: read(value) }]
  }

const decimalSign = ofFields((decimal) => {
  if (decimal !== ',' && decimal !== '.') throw new InvalidArgumentError("Not ',' or '.'.")
  return { decimal }
})

const thousandsSign = ofFields((thousands) => {
  if (!isSeparator(thousands)) throw new InvalidArgumentError("Not '.', ',', ' ' or \"'\".")
  return { thousands }
})

const dateFormat = ofFields((format) =>
  Object.hasOwn(epochs, format) ? { epoch: epochs[format] as 's' } : { pattern: format },
)

function currency(text: string): string {
  if (!isCurrency(text)) throw new InvalidArgumentError('Not a currency such as €, EUR or Fr., or any.')
  return text
}

const nullTexts = (text: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  ...text.split(','),
]

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
  new Option('--null <texts>', 'texts that mean no value, for example NA,-').argParser(nullTexts),
  new Option(
    '--decimal <sign>',
    "decimal sign of numbers (default: '.'); FIELD=SIGN for one field; may be repeated",
  ).argParser(decimalSign),
  new Option(
    '--thousands <sign>',
    "sign between groups of three digits: '.', ',', ' ' or \"'\"; FIELD=SIGN for one field; may be repeated",
  ).argParser(thousandsSign),
  new Option(
    '--money [currency]',
    'numbers may have a currency, and (12.50) or 12.50- is negative; only the one that is named, or any; else a column has one',
  ).argParser(currency),
  new Option(
    '--date-format <format>',
    'dates and times, such as DD.MM.YYYY or epoch-ms; or excel-days; FIELD=FORMAT for one field; may be repeated',
  ).argParser(dateFormat),
  new Option(
    '--round',
    'round numbers that have more digits behind the point than their column keeps, instead of rejecting them',
  ),
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
  readonly decimal?: readonly Said[]
  readonly thousands?: readonly Said[]
  readonly money?: true | string
  readonly dateFormat?: readonly Said[]
  readonly excelText?: true
  readonly round?: true
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
  const { null: nulls, decimal = [], thousands = [], money, round, excelText } = flags
  const { dateFormat: times = [] } = flags
  const signs = [...decimal, ...thousands]
  const notation: Notation = {
    ...(nulls !== undefined && { nulls }),
    ...saidOf(undefined, signs),
    ...(money !== undefined && { money }),
    ...(round && { round }),
    ...(excelText && { excelText }),
    ...saidOf(undefined, times),
  }
  const all = [...signs, ...times]
  const byField = all.flatMap(({ field }) =>
    field === undefined ? [] : [[field, saidOf(field, all)] as const],
  )
  const notations = {
    ...(Object.keys(notation).length > 0 && { notation }),
    ...(byField.length > 0 && { notations: Object.fromEntries(byField) }),
  }
  const problem = notationsProblem(notations)
  if (problem !== undefined)
    throw new LadingError('USAGE', `--decimal, --thousands, --money and --date-format: ${problem}`)
  return notations
}

const saidOf = (field: string | undefined, all: readonly Said[]): Notation =>
  Object.assign({}, ...all.filter((each) => each.field === field).map(({ said }) => said)) as Notation
