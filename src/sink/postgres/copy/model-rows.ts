import { changesRows } from '../../../model/change.ts'
import type { Model } from '../../../model/model.ts'
import { hasBinaryForm } from '../table/fit.ts'
import { BinaryRows } from './binary.ts'
import type { CopyBuffer } from './rows.ts'
import { TextRows } from './text.ts'

/** An empty buffer for rows of the model: binary, unless a type has no binary form. */
export function rowsOf(model: Model): CopyBuffer {
  const types = model.columns.map((column) => column.type)
  const change = changesRows(model) ? [false] : []
  if (types.every(hasBinaryForm)) return new BinaryRows(types.length + change.length)
  return new TextRows([...types.map(({ kind }) => kind === 'timestamptz'), ...change])
}
