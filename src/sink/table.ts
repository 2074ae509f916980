/** What every sink says of a model's table. */
import { LadingError } from '../core/errors.ts'
import type { LadingEvent } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { type Model, tableName } from '../model/model.ts'

/** Of a table and a model that have nothing in common, a screenful says enough. */
const mostListed = 20

/** Throws `SCHEMA_MISMATCH`, which lists the problems at once, where there are any. */
export function requireFit(model: Model, problems: readonly string[]): void {
  if (problems.length > 0) throw new LadingError('SCHEMA_MISMATCH', `table ${tableName(model)}: ${listed(problems, mostListed, '; ')}`)
}

/** Said where `Prepared.remade`. */
export const remadeCaution = (model: Model): LadingEvent => ({
  type: 'caution',
  message: `table ${tableName(model)} was empty and made by lading for another model, so it was made again`,
})
