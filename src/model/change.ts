/** Rows that change those of their key: in the columns that their records name, or by deleting them. */
import type { Model } from './declared.ts'

/** Whether rows of the model may set some columns alone, or delete: they find a row by the columns of its key. */
export const mayChangeRows = ({
  onConflict,
  version,
  arbiter,
  primaryKey,
  columns,
}: Pick<Model, 'onConflict' | 'version' | 'arbiter' | 'primaryKey' | 'columns'>): boolean =>
  // What deletes a row has of it what the source says, and nothing that follows from the rest.
  !columns.some(({ name, generated }) => generated?.value === 'derived' && primaryKey.includes(name)) &&
  (onConflict === 'update' || onConflict === 'merge') &&
  version === undefined &&
  arbiter === undefined

/** Whether rows say how they change a row, in a value behind those of the columns. */
export const changesRows = ({ onConflict, deletes }: Pick<Model, 'onConflict' | 'deletes'>): boolean =>
  onConflict === 'merge' || deletes === true

/**
 * The model whose records may delete if they lie in envelopes that say so, and if a deletion has a meaning: for
 * a key, and without a version.
 */
export const modelOfChanges = (model: Model, envelopes: readonly string[] = []): Model =>
  envelopes.includes('debezium') && mayChangeRows(model) ? { ...model, deletes: true } : model

/** The field that says of a record whether its row was deleted, if no column reads it. */
export const deletedField = '__deleted'

/**
 * What a row says of its change: nothing where it sets every column, one of these for each column, or that it
 * deletes.
 */
export const isSent = '1'
export const isUnsent = '0'
export const isDeletion = 'd'
