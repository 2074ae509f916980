/** The model that is taken where none is named, and the sources that it is for. */
import { LadingError } from '../core/errors.ts'
import { formatOf, splitterFor } from '../format/registry.ts'
import { anyFields } from '../format/split.ts'
import { runsOf } from '../infer/records.ts'
import { fieldProblems } from '../model/fields.ts'
import type { Model } from '../model/model.ts'
import { checkHead } from '../producer/plan.ts'
import { type ReadSource, statedReading } from '../producer/reading.ts'
import { readAhead } from '../source/ahead.ts'
import { headPieceBytes } from '../source/pieces.ts'
import type { Source } from '../source/source.ts'
import { dressed, namesIn } from './readings.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

/**
 * Whether the heads of all sources fit the model, read as the options say; the first that does not ends the look.
 * Undefined where all are empty: they fit any.
 */
export async function areUsual(
  sources: readonly Source[],
  usual: Model,
  options: UnmodelledOptions,
): Promise<boolean | undefined> {
  let hasBytes = false
  try {
    for await (const source of readAhead(sources, { pieceBytes: headPieceBytes })) {
      const read = await dressed(source, statedReading(options))
      // What will be added to an empty file nobody knows.
      if (options.append === true && (await isEmpty(read))) return false
      if (!(await fits(read, usual, options))) return false
      hasBytes ||= !(await isEmpty(read))
    }
    return hasBytes || undefined
  } catch (error) {
    if (error instanceof LadingError && error.code !== 'ABORTED') return false
    throw error
  }
}

async function isEmpty(source: Source): Promise<boolean> {
  for await (const piece of source.bytes({ pieceBytes: headPieceBytes })) if (piece.length > 0) return false
  return true
}

/** Columns without names fit in number alone. An empty file fits. */
async function fits(
  source: ReadSource,
  model: Model,
  { choices: { ignoreExtra = false } = {}, signal }: UnmodelledOptions,
): Promise<boolean> {
  const layout = await checkHead(source, { model, ignoreExtra, signal })
  const { reading } = source
  if (layout.format !== undefined) {
    const names = await namesIn([{ source, reading, fields: undefined }], true)
    return names.length === 0 || fieldProblems(model, names, ignoreExtra).next().done === true
  }
  if (reading.dialect?.header !== false || reading.dialect.names !== undefined) return true
  return [0, model.columns.length].includes(await cellsOf(source))
}

/** Of the first record of CSV without a header; 0 where there is none. */
async function cellsOf(source: ReadSource): Promise<number> {
  const splitter = splitterFor(source.reading, source.path, anyFields)
  for await (const { bytes } of runsOf(source, splitter)) {
    const layout = { ...splitter.layout, fields: ['1'] }
    const reader = formatOf(layout)?.reader(layout, [], false)
    reader?.open(bytes)
    if (reader?.next() === true) return reader.count
  }
  return 0
}
