/** Which notation holds for a field: several may say something of it, each of signs of numbers, of money, of times, or of texts. */
import type { Notation, Notations } from '../../core/notation.ts'
import type { ColumnType } from '../columns.ts'
import { type Holds, holds, isTimes, ofNumbers, ofTimes } from './holds.ts'
import { hasDate } from './pattern.ts'

const signsOf = ({ decimal, thousands, percent }: Notation): Notation =>
  given({ decimal, thousands, percent })
const moneyOf = ({ money }: Notation): Notation => given({ money })
const roundOf = ({ round }: Notation): Notation => given({ round })
const timesOf = ({ pattern, epoch }: Notation): Notation => given({ pattern, epoch })
const textsOf = ({ trim, nulls, excelText }: Notation): Notation => given({ trim, nulls, excelText })

export const withoutSigns = (notation: Notation): Notation => ({
  ...textsOf(notation),
  ...roundOf(notation),
  ...timesOf(notation),
})

const given = (notation: { readonly [K in keyof Notation]: Notation[K] | undefined }): Notation =>
  Object.fromEntries(Object.entries(notation).filter(([, value]) => value !== undefined))

/**
 * The notation of a column, of what its model states, what the layout states of its field, and what the
 * layout states of every field; undefined where none says anything.
 */
export function notationOf(
  own: Notation | undefined,
  field: string | undefined,
  type: ColumnType,
  { notation, notations }: Notations = {},
): Notation | undefined {
  const ofField = field === undefined ? undefined : ownOf(field, notations)
  const merged = firstOf([own, ofField, notation && suited(notation, holds(type))])
  return Object.keys(merged).length === 0 ? undefined : merged
}

/** What is stated of a field. */
export function statedOf(field: string, { notation, notations }: Notations): Notation | undefined {
  const own = ownOf(field, notations)
  return own === undefined && notation === undefined ? undefined : firstOf([own, notation])
}

/** A field may be called `constructor`. */
const ownOf = (field: string, notations: Notations['notations'] = {}): Notation | undefined =>
  Object.hasOwn(notations, field) ? notations[field] : undefined

/**
 * The first that says something of the signs of numbers decides them all, and so with times. That amounts may have a
 * currency says nothing of their signs.
 */
function firstOf(all: readonly (Notation | undefined)[]): Notation {
  const stated = all.filter((each) => each !== undefined)
  const first = (part: (notation: Notation) => Notation): Notation =>
    stated.map(part).find((each) => Object.keys(each).length > 0) ?? {}
  return {
    ...Object.assign({}, ...stated.toReversed().map(textsOf)),
    ...first(signsOf),
    ...first(moneyOf),
    ...first(roundOf),
    ...first(timesOf),
  }
}

/** What was known of fields, and what a person states afterwards: it decides, and adds to the texts for no value. */
export function restated(known: Notations, stated: Notations): Notations {
  const both = (notation: Notation | undefined, ...over: readonly (Notation | undefined)[]): Notation => {
    const all = [...over, notation]
    const nulls = all.flatMap((each) => each?.nulls ?? [])
    return { ...firstOf(all), ...(nulls.length > 0 && { nulls: [...new Set(nulls)] }) }
  }
  const fields = Object.keys({ ...known.notations, ...stated.notations })
  return {
    notation: both(known.notation, stated.notation),
    notations: Object.fromEntries(
      fields.map((field) => {
        const own = ownOf(field, known.notations) ?? {}
        return [field, both(own, ownOf(field, stated.notations), alike(stated.notation ?? {}, own))]
      }),
    ),
  }
}

/** Of a notation of every field: what holds for one whose numbers, or times, are known to be written in some way. */
const alike = (notation: Notation, own: Notation): Notation => ({
  ...textsOf(notation),
  ...(ofNumbers(own) ? { ...signsOf(notation), ...moneyOf(notation) } : {}),
  ...(ofTimes(own) ? timesOf(notation) : {}),
})

/** What of a notation of every field holds for a column. */
function suited(notation: Notation, held: Holds): Notation {
  const { pattern } = notation
  const timed =
    isTimes(held) && (pattern === undefined || (held === 'time' ? !hasDate(pattern) : hasDate(pattern)))
  return {
    ...textsOf(notation),
    ...(held === 'number' || isTimes(held) ? { ...signsOf(notation), ...moneyOf(notation) } : {}),
    ...(held === 'number' ? roundOf(notation) : {}),
    ...(timed ? timesOf(notation) : {}),
  }
}
