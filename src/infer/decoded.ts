/** Every record of a source, decoded as a load would decode it, and written nowhere. */
import { LadingError } from '../core/errors.ts'
import type { Fault } from '../core/fault.ts'
import type { LeftOut } from '../core/load.ts'
import { linesIn } from '../core/bytes.ts'
import { formatOf, splittersFor } from '../format/registry.ts'
import { fieldProblems, wantedFields } from '../model/fields.ts'
import { isMasked, type Model, sourceColumns, sourceNames, tableName } from '../model/model.ts'
import { RecordDecoder } from '../model/record.ts'
import { type Value, ValueWriter } from '../model/values.ts'
import type { ReadSource } from '../producer/reading.ts'
import { type RecordOptions, runsOf } from './records.ts'

export interface DecodeOptions extends RecordOptions {
  readonly ignoreExtra?: boolean | undefined
  readonly namesColumns?: boolean | undefined
  /** Hears the values of each row, in the order of the model's columns. */
  readonly onRow?: (values: readonly Value[]) => void
}

export interface FoundReject extends Fault {
  readonly line: number
}

export interface Outcome {
  readonly source: string
  readonly records: number
  readonly rejected: number
  /** The first ones. */
  readonly rejects: readonly FoundReject[]
  /** By code. */
  readonly codes: Readonly<Record<string, number>>
  readonly leftOut: Pick<LeftOut, 'preamble' | 'comments'>
}

const mostRejects = 10

export async function decodeSource(
  source: ReadSource,
  model: Model,
  options: DecodeOptions = {},
): Promise<Outcome> {
  const { ignoreExtra = false, namesColumns = false, onRow } = options
  const { reading } = source
  const splitter = splittersFor(reading)(source.path, {
    table: tableName(model),
    names: sourceColumns(model).flatMap(sourceNames),
    isMasked: isMasked(model),
    namesColumns,
    problems: (fields) => [...fieldProblems(model, fields, ignoreExtra)],
  })
  const writer = new ValueWriter(model)
  const rejects: FoundReject[] = []
  const codes: Record<string, number> = {}
  let records = 0
  let rejected = 0
  let read: ReturnType<typeof readerOf> | undefined
  for await (const { bytes, line } of runsOf(source, splitter, options)) {
    read ??= readerOf(source, splitter.layout, model, ignoreExtra, writer)
    const { reader, decoder } = read
    reader.open(bytes)
    while (reader.next()) {
      records++
      const fault = reader.fault ?? decoder.decode(reader)
      if (fault === undefined) onRow?.(writer.values)
      else {
        rejected++
        codes[fault.code] = (codes[fault.code] ?? 0) + 1
        if (rejects.length < mostRejects)
          rejects.push({ ...fault, line: line + linesIn(bytes, 0, reader.recordStart) })
      }
      writer.values.length = 0
    }
    if (options.isHead === true) break
  }
  const { preamble = 0, comments = 0 } = splitter.leftOut ?? {}
  return { source: source.name, records, rejected, rejects, codes, leftOut: { preamble, comments } }
}

function readerOf(
  { name, reading }: ReadSource,
  layout: Parameters<typeof formatOf>[0],
  model: Model,
  ignoreExtra: boolean,
  writer: ValueWriter,
) {
  const { notation, notations } = reading
  const reader = formatOf(layout)?.reader(layout, wantedFields(model), ignoreExtra)
  if (reader === undefined) throw new LadingError('INTERNAL', `${name} has a layout that cannot be read`)
  const decoder = new RecordDecoder(model, reader.fields, writer, {
    ...(notation && { notation }),
    ...(notations && { notations }),
  })
  return { reader, decoder }
}
