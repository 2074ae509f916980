/** How the dates and times of a field are written whose column holds some: in the form that most of them have. */
import { counted } from '../../core/counted.ts'
import type { Choice } from '../decision.ts'
import { isShort, meantOrders, orderMeanings, patternOf } from './dates.ts'
import type { ValueForm } from './number-form.ts'
import { dateFormat } from './questions.ts'

/** Values that are written alike. */
export interface TimeForm {
  /** See `Dated`; or the type's own form, a count, or a number that may be several counts. */
  readonly form: string
  isPadded: boolean
  /** How many allow which orders of day, month and year. */
  readonly orders: Map<number, number>
}

export const own = 'own'
export const numbers = 'number'

/** Digits of a count since 1970 from 1973 to 2286, and of the days of Excel from 1927 to 2173. */
const epochs = [
  { form: 'excel-days', epoch: 'excel', least: 5, most: 5, meaning: 'days of Excel' },
  { form: 'epoch-s', epoch: 's', least: 9, most: 10, meaning: 'seconds since 1970' },
  { form: 'epoch-ms', epoch: 'ms', least: 12, most: 13, meaning: 'milliseconds since 1970' },
  { form: 'epoch-us', epoch: 'us', least: 15, most: 16, meaning: 'microseconds since 1970' },
] as const

/** The form of whole numbers of so many digits. */
export const epochForm = (least: number, most = least): string =>
  epochs.find((each) => least >= each.least && most <= each.most)?.form ?? numbers

const isNumber = ({ form }: TimeForm): boolean =>
  form === numbers || epochs.some((each) => each.form === form)

const countOf = ({ orders }: TimeForm): number => [...orders.values()].reduce((sum, count) => sum + count, 0)

export function timeForm(field: string, given: readonly TimeForm[]): ValueForm {
  const forms = withNumbers(given).toSorted((a, b) => countOf(b) - countOf(a))
  const [first, ...others] = forms
  const ofType = forms.find(({ form }) => form === own)
  if (first === undefined || (ofType !== undefined && countOf(ofType) === countOf(first))) return {}
  const rivals = others.filter((each) => countOf(each) === countOf(first))
  if (rivals.length > 0) {
    const all = forms.reduce((sum, form) => sum + countOf(form), 0)
    return { readings: [first, ...rivals].flatMap((form) => choicesOf(field, form, all)) }
  }
  return formOf(field, first)
}

/** Counts of different units: a number may be one in each of them. */
function withNumbers(forms: readonly TimeForm[]): readonly TimeForm[] {
  const counts = forms.filter(isNumber)
  if (counts.length < 2) return forms
  const count = counts.reduce((sum, form) => sum + countOf(form), 0)
  const joined = { form: numbers, isPadded: false, orders: new Map([[1, count]]) }
  return [...forms.filter((form) => !isNumber(form)), joined]
}

function formOf(field: string, found: TimeForm): ValueForm {
  const epoch = epochs.find(({ form }) => form === found.form)
  if (epoch !== undefined) return { notation: { epoch: epoch.epoch } }
  const order = orderOf(found)
  if (order === undefined || found.form === numbers || isShort(found.form))
    return { readings: choicesOf(field, found, countOf(found)) }
  return { notation: { pattern: patternOf(found.form, order, found.isPadded) } }
}

/** The order of all values, or of most of them where none allows two. */
function orderOf({ form, orders }: TimeForm): number | undefined {
  const common = meantOrders(
    form,
    [...orders.keys()].reduce((all, each) => all & each),
  )
  if (isOne(common)) return common
  if (![...orders.keys()].every(isOne)) return undefined
  const [[first, most], [, next]] = [...orders].toSorted(([, a], [, b]) => b - a) as [
    [number, number],
    [number, number],
  ]
  return most > next ? first : undefined
}

const isOne = (orders: number): boolean => orders !== 0 && (orders & (orders - 1)) === 0

/** `all`: how many values an option has to read, or it rejects some. */
function choicesOf(field: string, found: TimeForm, all: number): readonly Choice[] {
  if (found.form === numbers)
    return epochs.map(({ form, meaning }) => choiceOf(field, form, meaning, all - countOf(found)))
  const epoch = epochs.find(({ form }) => form === found.form)
  if (epoch !== undefined) return [choiceOf(field, epoch.form, epoch.meaning, all - countOf(found))]
  return orderMeanings.flatMap(({ order, meaning }) => {
    const read = [...found.orders].reduce((sum, [each, count]) => sum + (each & order ? count : 0), 0)
    const pattern = patternOf(found.form, order, found.isPadded)
    return read === 0 ? [] : [choiceOf(field, pattern, meaning, all - read)]
  })
}

const choiceOf = (field: string, format: string, meaning: string, rejected: number): Choice => ({
  option: dateFormat(field, format),
  meaning: rejected === 0 ? meaning : `${meaning}; ${counted(rejected, 'record')} rejected`,
})
