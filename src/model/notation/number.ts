/** A number as people write it → digits, a point and a minus. */
import { asPattern } from '../../core/text.ts'
import type { Notation } from '../../core/notation.ts'

/** Undefined for a text that is no number in this notation. */
export type Rewrite = (text: string) => string | undefined

/** What a stated separator of groups stands for. */
const separators: Readonly<Record<string, string>> = {
  '.': '\\.',
  ',': ',',
  ' ': ' \u00a0\u202f',
  '\u00a0': ' \u00a0\u202f',
  '\u202f': ' \u00a0\u202f',
  "'": "'’",
  '’': "'’",
}

export const isSeparator = (sign: string): boolean => Object.hasOwn(separators, sign)

const space = '[ \\u00a0\\u202f]?'
const sign = '[-+\u2212]'
/** A sign such as `$`, `R$` or `US$`, a code of ISO 4217, or an abbreviation that has no sign of its own. */
const anyCurrency = '(?:[A-Z]{0,2}\\p{Sc}|[A-Z]{3}|kr\\.?|zł|Kč|Fr\\.?)'

const inText = new RegExp(anyCurrency, 'u')

/** The currency of an amount; undefined where it has none. */
export const currencyIn = (text: string): string | undefined => inText.exec(text)?.[0]

/** A point may stand at its end alone. */
export const isCurrency = (text: string): boolean => /^[^\d\s.,()%+\u2212-]{1,8}\.?$/u.test(text)

export function* numberProblems({ decimal, thousands, money }: Notation): Generator<string> {
  if (thousands !== undefined && !isSeparator(thousands)) yield `thousands is one of '.', ',', ' ' and "'"`
  if (thousands === ',' && decimal === ',') yield 'decimal and thousands are the same sign'
  if (thousands === '.' && decimal !== ',') yield "thousands: '.' needs decimal: ','"
  if (typeof money === 'string' && !isCurrency(money))
    yield `money is true, or a currency such as '€' or 'EUR'`
}

const isAny = (money: Notation['money']): money is true | 'any' | undefined =>
  money === undefined || money === true || money === 'any'

/** How a message shows the notation. */
export const numberExample = ({ decimal, thousands = '', money, percent }: Notation): string =>
  `${isAny(money) ? '' : `${money} `}1${thousands}234${decimal ?? '.'}5${percent === true ? '%' : ''}`

export function numberRewrite(notation: Notation): Rewrite {
  const { decimal, thousands, money, percent } = notation
  const separator = thousands === undefined ? undefined : separators[thousands]
  const groups =
    separator === undefined ? '' : `[1-9]\\d{0,2}(?<gap>[${separator}])\\d{3}(?:\\k<gap>\\d{3})*|`
  const number = `(?<whole>${groups}\\d*)(?:${decimal === ',' ? ',' : '\\.'}(?<fraction>\\d*))?(?<exponent>[eE][-+]?\\d+)?`
  const hundredth = percent === true ? `${space}%` : ''
  const currency = isAny(money) ? anyCurrency : asPattern(money)
  const form =
    money === undefined
      ? `^(?<sign0>${sign})?${number}${hundredth}$`
      : `^(?<sign0>${sign})?(?:(?<money0>${currency})${space})?(?<open>\\()?(?<sign1>${sign})?(?:(?<money1>${currency})${space})?` +
        `${number}${hundredth}` +
        `(?<sign2>${sign})?(?:${space}(?<money2>${currency}))?(?<close>\\))?(?:${space}(?<money3>${currency}))?(?<sign3>${sign})?$`
  const pattern = new RegExp(form, 'u')
  return (text) => {
    const found = pattern.exec(text)?.groups
    if (found === undefined) return undefined
    const { whole = '', fraction = '', exponent = '', gap, open, close } = found
    const signs = [found['sign0'], found['sign1'], found['sign2'], found['sign3']].filter(isGiven)
    const currencies = [found['money0'], found['money1'], found['money2'], found['money3']].filter(isGiven)
    const brackets = (open === undefined ? 0 : 1) + (close === undefined ? 0 : 1)
    if (whole === '' && fraction === '') return undefined
    if (signs.length + brackets / 2 > 1 || brackets === 1 || currencies.length > 1) return undefined
    if (exponent !== '' && (gap !== undefined || percent === true)) return undefined
    const minus = brackets === 2 || (signs.length === 1 && signs[0] !== '+') ? '-' : ''
    const digits = gap === undefined ? whole : whole.replaceAll(gap, '')
    if (percent === true) return `${minus}${hundredthOf(digits, fraction)}`
    return `${minus}${digits === '' ? '0' : digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`
  }
}

const isGiven = (part: string | undefined): part is string => part !== undefined

/** The point two places to the left: exact, and every digit stays. */
function hundredthOf(whole: string, fraction: string): string {
  const digits = whole.padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`
}
