/** The model of a load that has none of its own, derived from the table again: in every process, at any time. */
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import type { Model } from '../model/model.ts'
import { modelOfTable, type OfTable, type StatedChoices } from '../model/of-table.ts'
import { shownTable, type TableFacts, type WantedTable } from '../model/table.ts'
import type { PrepareOptions, Sink } from './sink.ts'

/** All that the model follows from, beside the catalogue. Plain JSON; `fields` are those of the source. */
export interface Derivation extends StatedChoices {
  readonly table: WantedTable
}

const mostListed = 20

/** Throws `SCHEMA_MISMATCH` where there is no such table or something of it does not fit. */
export async function derive(
  sink: Sink,
  derivation: Derivation,
  options?: Pick<PrepareOptions, 'signal' | 'connectMs'>,
): Promise<Model> {
  const facts = await sink.table?.(derivation.table, options)
  if (facts === undefined)
    throw new LadingError('SCHEMA_MISMATCH', `there is no table ${shownTable(derivation.table)}`)
  return requireModel(facts, modelOfTable(facts, derivation.fields, derivation))
}

/** Throws `SCHEMA_MISMATCH`, which lists what does not fit; `about` is the file that has the fields. */
export function requireModel(facts: TableFacts, { model, problems }: OfTable, about = 'the file'): Model {
  if (model !== undefined) return model
  const all = listed(problems, mostListed, '; ')
  throw new LadingError('SCHEMA_MISMATCH', `${about} does not fit table ${shownTable(facts)}: ${all}`)
}
