/** What a row does that meets another one of its key. */
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'

type Conflicting = Pick<Model, 'columns' | 'primaryKey' | 'version' | 'onConflict' | 'arbiter' | 'deletes'>

/** The columns that an update sets. An expression may give one key to several texts of a column. */
export const settable = ({ columns, primaryKey, arbiter }: Conflicting): readonly string[] =>
  columns
    .map(({ name }) => name)
    .filter((name) => arbiter?.expressions !== undefined || !primaryKey.includes(name))

/** Whether a row that is there already stays as it is. */
export const leavesAlone = (model: Conflicting): boolean =>
  model.onConflict === 'skip' || settable(model).length === 0

/**
 * Whether the conflict policy may leave rows out. An update without a version leaves none out: of two with
 * the same key, the first took effect and was replaced.
 */
export const mayLeaveOut = (model: Conflicting): boolean =>
  !changesRows(model) && model.onConflict !== 'error' && (model.version !== undefined || leavesAlone(model))
