/** What is another thing in a plan than in the one that its load was begun with. */
import { LadingError } from '../core/errors.ts'
import type { Layout } from '../core/load.ts'
import { kebab } from '../format/registry.ts'
import type { KnownLoad } from './parts.ts'
import type { Plan } from './plan.ts'
import type { PlannedLoad } from './planned-load.ts'

type Begun = Pick<PlannedLoad, 'id' | 'path' | 'layout' | 'model' | 'plan'> & {
  /** Where its first chunk begins. */
  readonly start: number | undefined
}

/** Options of the keys of a layout whose names are not theirs. */
const named: Readonly<Record<string, string>> = {
  fields: 'the names of the columns',
  ofTable: '--key, --on-conflict, --ignore-extra, --zone or the fields of the records',
}

const optionOf = (key: string): string => `--${kebab(key)}`

/** Of notations, which options state in parts. */
const notationNames: Readonly<Record<string, string>> = {
  nulls: '--null',
  pattern: '--date-format',
  epoch: '--date-format',
}

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Keys that have other values. */
const differing = (one: object, other: object): readonly string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (key) => !isEqual(one[key as keyof object], other[key as keyof object]),
  )

/** The options, or what else decides, that give the layouts their differences. */
export function changedLayout(begun: Layout, planned: Layout): readonly string[] {
  if (begun === planned || isEqual(begun, planned)) return []
  const [format, newFormat] = [begun.format ?? 'csv', planned.format ?? 'csv']
  // All else follows from it.
  if (format !== newFormat) return [`--format (${format} then, ${newFormat} now)`]
  const { notation = {}, notations = {}, ...layout } = begun
  const { notation: newNotation = {}, notations: newNotations = {}, ...newLayout } = planned
  const ofField = (key: string) => notationNames[key] ?? optionOf(key)
  return [
    ...differing(layout, newLayout).map((key) => named[key] ?? shownChange(key, layout[key], newLayout[key])),
    ...differing(notation, newNotation).map(ofField),
    ...differing(notations, newNotations).flatMap((field) =>
      differing(notations[field] ?? {}, newNotations[field] ?? {}).map(
        (key) => `${ofField(key)} of ${field}`,
      ),
    ),
  ]
}

/** With the values, where they are short: the one that the load was begun with finishes it. */
function shownChange(key: string, begun: unknown, planned: unknown): string {
  const shown = (value: unknown) => (value === undefined ? 'not given' : JSON.stringify(value))
  const isShort = [begun, planned].every((value) => typeof value !== 'object')
  return isShort ? `${optionOf(key)} (${shown(begun)} then, ${shown(planned)} now)` : optionOf(key)
}

/**
 * Throws `PLAN_CHANGED`: a load goes on as it was begun, because its chunks would overlap otherwise, or be read
 * in two ways.
 */
export function requireSamePlan(load: Begun, plan: Plan, known: KnownLoad | undefined): void {
  const layout = changedLayout(load.layout, plan.layout)
  const isMoved = load.start !== undefined && load.start !== plan.start
  const changes = [
    ...layout,
    ...(isMoved && layout.length === 0 ? ['--append, --skip-lines, --header-rows or the header'] : []),
    ...(load.model === plan.model ? [] : [modelOf(load)]),
  ]
  const isOther = known !== undefined && known.plan !== load.plan
  if (isOther && changes.length === 0) changes.push('--chunk-bytes, or --limit, or how its records are read')
  if (changes.length > 0)
    throw new LadingError(
      'PLAN_CHANGED',
      `${load.path} was begun (load ${load.id}) with another reading: ${changes.join(', ')}`,
    )
}

const modelOf = ({ layout }: Begun): string =>
  layout.ofTable === undefined ? 'the model' : 'its key, or the columns of its table have changed since'
