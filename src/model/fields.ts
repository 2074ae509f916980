/**
 * What a model makes of the fields of a source: which it wants, which it misses, what may be kept of them.
 */
import { isUtf8 } from 'node:buffer'
import type { WantedField } from '../core/cells.ts'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import { nearest } from '../core/nearest.ts'
import type { Notation, Notations } from '../core/notation.ts'
import type { SkipWhen } from '../core/skip.ts'
import { isMasked, type Model, type ModelColumn, sourceColumns, sourceNames } from './model.ts'
import { textWritten } from './notation/notation.ts'
import { notationOf } from './notation/stated.ts'

/** One for each field of each column that is read from the source, in the order of the columns. */
export const wantedFields = (model: Model): WantedField[] =>
  sourceColumns(model).flatMap((column) =>
    sourceNames(column).map((name) => ({ name, take: takeOf(column), column: column.name })),
  )

function takeOf({ type, transform }: ModelColumn): WantedField['take'] {
  if (type.kind === 'json') return 'source'
  return type.kind === 'custom' || type.kind === 'array' || transform !== undefined ? 'either' : 'text'
}

/** The fields that decide whether a record is left out, by the model or by the layout. */
export const skipFields = (model: Model, skipWhen: SkipWhen = {}): readonly string[] => [
  ...new Set([...Object.keys(model.skipWhen ?? {}), ...Object.keys(skipWhen)]),
]

/** What of `fields` the model cannot use or misses: one line each, none where they fit. */
export function* fieldProblems(
  model: Model,
  fields: readonly string[],
  ignoreExtra = false,
  skipWhen: SkipWhen = {},
): Generator<string> {
  const columns = sourceColumns(model)
  const known = new Set(columns.flatMap(sourceNames))
  const skipping = skipFields(model, skipWhen)
  const present = new Set(fields)
  const needed = columns.filter((column) => column.notNull && column.fallback === undefined)
  // Several columns may read one field.
  for (const name of new Set([...needed.flatMap(sourceNames), ...skipping]))
    if (!present.has(name)) yield `column ${name} is missing`
  const extra = fields.filter((field) => !known.has(field))
  // Without it, every record would be a row of NULLs and defaults.
  const noneKnown = known.size > 0 && extra.length === fields.length
  // What looks like a header of which no name is known may be a record.
  if (noneKnown && (ignoreExtra || isMasked(model) || extra.length === 0))
    yield 'none of its columns is in the model'
  else if (!ignoreExtra)
    for (const field of extra) if (!skipping.includes(field)) yield `column ${field} is not in the model`
}

const optionOf: Readonly<Partial<Record<keyof Notation, string>>> = {
  decimal: '--decimal',
  thousands: '--thousands',
  pattern: '--date-format',
  epoch: '--date-format',
}

/** Throws `USAGE` for what is stated of the values of a field that is none of these. */
export function requireFields({ notations = {} }: Notations, fields: readonly string[]): void {
  const [field, notation] = Object.entries(notations).find(([name]) => !fields.includes(name)) ?? []
  if (field === undefined) return
  const option = Object.keys(notation ?? {}).flatMap((key) => optionOf[key as keyof Notation] ?? [])[0]
  throw new LadingError('USAGE', `${option ?? 'notations'} ${field}=…: ${noField(field, fields)}`)
}

export const sourceFields = (model: Model): readonly string[] => sourceColumns(model).flatMap(sourceNames)

const mostNamed = 20

export function noField(name: string, fields: readonly string[]): string {
  const near = nearest(name, fields)
  return `there is no field ${name}${near === undefined ? '' : `; did you mean ${near}?`} (${listed(fields, mostNamed)})`
}

/** What may be kept of a field outside its table. */
export interface FieldRule {
  /** Undefined where no column masks the field. */
  readonly mask: FieldMask | undefined
  /** Whether a value with parts can be loaded. */
  readonly takesParts: boolean
}

/** The mask of a text of the source; null for one that stands for no value. May throw. */
export type FieldMask = (text: string) => string | null

/**
 * By the names of the fields that columns read; several columns may read one field. `notations`: those of the
 * layout.
 */
export function fieldRules(model: Model, notations?: Notations): Map<string, FieldRule> {
  const readers = new Map<string, ModelColumn[]>()
  for (const column of sourceColumns(model))
    for (const field of sourceNames(column)) readers.set(field, [...(readers.get(field) ?? []), column])
  return new Map([...readers].map(([field, columns]) => [field, ruleOf(field, columns, notations)]))
}

function ruleOf(field: string, columns: readonly ModelColumn[], notations?: Notations): FieldRule {
  const masked = columns.find((column) => column.mask !== undefined)
  return {
    mask: masked && maskOf(field, masked, notations),
    takesParts: columns.every((column) => takeOf(column) !== 'text'),
  }
}

function maskOf(field: string, column: ModelColumn, notations?: Notations): FieldMask {
  const { mask, type, nullIf } = column
  const written = textWritten(notationOf(column.written, field, type, notations) ?? {}, nullIf)
  return (text) => {
    const plain = written(text)
    return plain === null ? null : (mask?.apply(plain) ?? null)
  }
}

/**
 * The mask of a text, which is the text itself where it stands for no value; undefined where its bytes are no
 * valid text or the mask fails, for then the value cannot have been loaded.
 */
export function maskedText(mask: FieldMask, bytes: Buffer): string | undefined {
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined
  const text = bytes.toString('utf8')
  try {
    const masked: unknown = mask(text) ?? text
    return typeof masked === 'string' ? masked : undefined
  } catch {
    return undefined
  }
}
