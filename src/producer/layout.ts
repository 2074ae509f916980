/** How the records of a source are written, as its loads keep it. */
import type { Layout } from '../core/load.ts'
import type { Reading } from '../format/reading.ts'
import type { Splitter } from '../format/split.ts'
import type { Model } from '../model/model.ts'
import { asInLayout } from '../model/notation/notation.ts'

/** Of records that are split and written so. */
export function layoutOf({ layout }: Splitter, reading: Reading): Layout {
  const { skipWhen } = reading
  const notation = asInLayout(reading.notation ?? {})
  const notations = Object.fromEntries(
    // The point of a field is not usual where every other one has a comma.
    Object.entries(reading.notations ?? {}).map(
      ([field, each]) => [field, notation.decimal === undefined ? asInLayout(each) : each] as const,
    ),
  )
  return {
    ...layout,
    ...(Object.keys(notation).length > 0 && { notation }),
    ...(Object.keys(notations).length > 0 && { notations }),
    ...(skipWhen && { skipWhen }),
  }
}

/** Of plain CSV the text that version 0.1.0 hashes, so that its loads go on: delimiter, quote, fields, model. */
export function layoutKey(
  { format, fields, delimiter, quote, ...own }: Layout,
  { fingerprint }: Model,
): string {
  return JSON.stringify([
    ...[format, delimiter, quote].filter((each) => each !== undefined),
    ...(Object.keys(own).length === 0 ? [] : [own]),
    fields,
    fingerprint,
  ])
}
