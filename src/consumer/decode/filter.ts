/**
 * Which records are left out on purpose: by fields that the model or the layout names, by the model's code, or empty
 * lines.
 */
import { cellBytes, type Cells, unquoted } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import type { Layout } from '../../core/load.ts'
import type { RecordReader } from '../../format/format.ts'
import { requireAnswer } from '../../model/hooks.ts'
import { isMasked, type Model } from '../../model/model.ts'

/** Whether the record that the reader stands on is left out, or why that cannot be told. */
export type Filter = () => boolean | Fault

interface Skip {
  readonly cell: number
  readonly texts: ReadonlySet<string>
}

/** Undefined where nothing is left out. A filter throws `HOOK_FAILED`. */
export function filterOf(
  model: Pick<Model, 'table' | 'columns' | 'skipWhen' | 'where'>,
  { skipWhen, blankLines }: Layout,
  reader: RecordReader,
): Filter | undefined {
  const { where } = model
  const skips = [model.skipWhen, skipWhen].flatMap((each) =>
    Object.entries(each ?? {}).map(([field, texts]): Skip => ({
      cell: reader.fields.indexOf(field),
      texts: new Set(typeof texts === 'string' ? [texts] : texts),
    })),
  )
  const skipsBlank = blankLines === 'skip'
  if (skips.length === 0 && where === undefined && !skipsBlank) return undefined
  return () => {
    const { fault } = reader
    // A record that cannot be read is a reject.
    if (fault !== undefined) return skipsBlank && fault.code === 'BLANK_LINE'
    if (skips.some(({ cell, texts }) => texts.has(textOf(reader, cell) ?? ''))) return true
    if (where === undefined) return false
    const record = Object.fromEntries(reader.fields.map((field, cell) => [field, textOf(reader, cell)]))
    let isKept: unknown
    try {
      isKept = where(record)
    } catch (error) {
      // What it says may hold the value of a masked field.
      const reason = error instanceof Error && !isMasked(model) ? `: ${error.message.slice(0, 200)}` : ''
      return { code: 'TRANSFORM_FAILED', detail: `the where of the model threw${reason}` }
    }
    requireAnswer(model, isKept)
    return !isKept
  }
}

function textOf(cells: Cells, cell: number): string | null {
  if (cell < 0 || (cells.starts[cell] === cells.ends[cell] && cells.quoting[cell] === unquoted)) return null
  return cellBytes(cells, cell).toString('utf8')
}
