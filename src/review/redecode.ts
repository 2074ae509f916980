/**
 * A reject → its record decoded once more: by the rules by which it was decoded first, and with what a person
 * mended in it.
 */
import { asBuffer } from '../core/bytes.ts'
import { type Fault, maxRawBytes } from '../core/fault.ts'
import { type CsvLayout, csvLayout } from '../format/csv/dialect.ts'
import { sha256Of } from '../core/sha256.ts'
import { cellBytes, RecordReader } from '../format/csv/read.ts'
import { cellOfColumn, isMasked, type Model, sourceColumns, sourceName, tableName } from '../model/model.ts'
import { fieldProblems, RecordDecoder } from '../model/record.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { RejectReplay, StoredReject, Verdict } from '../sink/sink.ts'
import { quoteFault } from '../consumer/decode/chunk.ts'
import { type DecoderOptions } from '../consumer/decode/decoded.ts'
import { dedupField } from '../consumer/decode/identity.ts'
import { textFault } from '../format/text.ts'
import { isRedacted, isRedactedRecord } from '../consumer/decode/keeping.ts'
import { withoutMasks } from '../consumer/decode/kept-header.ts'
import { MessageDecoder } from '../consumer/decode/message.ts'
import { spanInLine, spanInObject } from '../consumer/decode/span.ts'

type Refused = Verdict & { readonly kind: 'refused' }

const refused = (code: Refused['code'], detail: string): Refused => ({ kind: 'refused', code, detail })

/** A decoder of records that are written the same way, and in which the same fields hold masks. */
interface LineDecoder {
  readonly decoder: RecordDecoder
  readonly model: Model
}

export class Redecoder {
  readonly #options: DecoderOptions
  readonly #rows: RowBuffer
  readonly #lines = new Map<string, LineDecoder | Refused>()
  readonly #objects = new Map<string, MessageDecoder>()

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    this.#options = options
    this.#rows = rows
  }

  /** Refused is what says nothing about the record itself: the reject stays as it is then. */
  decode(reject: StoredReject): RejectReplay | Refused {
    const text = asBuffer(reject.edited ?? reject.raw)
    const layout = reject.layout && csvLayout(reject.layout)
    return (
      this.#refusal(reject, text) ??
      (layout === undefined ? this.#decodeObject(reject, text) : this.#decodeLine(reject, text, layout))
    )
  }

  #refusal({ pipeline, loadId, layout, edited, masked }: StoredReject, text: Buffer): Refused | undefined {
    if (pipeline !== this.#options.pipeline)
      return refused('WRONG_PIPELINE', `it belongs to pipeline ${pipeline}`)
    if (loadId !== undefined && layout === undefined) {
      return refused(
        'RECORD_NOT_KEPT',
        'nobody wrote down the columns of its load; export it and load it as a file of its own',
      )
    }
    if (edited === undefined && text.length >= maxRawBytes)
      return refused('RECORD_NOT_KEPT', `no more than ${maxRawBytes} bytes were kept`)
    if (masked === undefined && isMasked(this.#options.model))
      return refused('RECORD_NOT_KEPT', 'nobody wrote down what of it was masked')
    if (holdsMasks(masked) && isRedactedRecord(text))
      return refused('RECORD_NOT_KEPT', 'it could not be read, so that it could not be masked')
    return undefined
  }

  #decodeLine(reject: StoredReject, text: Buffer, layout: CsvLayout): RejectReplay | Refused {
    const line = this.#lineDecoder(layout, reject.masked ?? [])
    if ('kind' in line) return line
    const place = (fault: Fault): Fault => ({ ...fault, span: spanInLine(text, fault, line.model, layout) })
    // A blank line is a record of one empty cell.
    const reader = new RecordReader(text.length === 0 ? Buffer.from('\n') : text, layout)
    reader.next()
    const origin = { keyOf: () => `${reject.loadId}/${reject.record}`, at: Date.now() }
    const fault =
      textFault(text) ??
      quoteFault(reader) ??
      surplusFault(reader) ??
      (holdsMasks(reject.masked) ? redactedFault(reader, line.model, layout) : undefined) ??
      line.decoder.decode(reader, origin)
    return { id: reject.id, fault: fault && place(fault), describe: place }
  }

  #lineDecoder(layout: CsvLayout, masked: readonly string[]): LineDecoder | Refused {
    const key = JSON.stringify([layout.fields, masked])
    let line = this.#lines.get(key)
    if (line === undefined) {
      const model = withoutMasks(this.#options.model, masked)
      const problems = [...fieldProblems(model, layout.fields, this.#options.ignoreExtra)]
      line =
        problems.length > 0
          ? refused('MODEL_MISMATCH', `its load does not fit ${tableName(model)}: ${problems.join(', ')}`)
          : { decoder: new RecordDecoder(model, layout.fields, this.#rows), model }
      this.#lines.set(key, line)
    }
    return line
  }

  #decodeObject(reject: StoredReject, text: Buffer): RejectReplay {
    const { model } = this.#options
    const place = (fault: Fault): Fault => ({ ...fault, span: spanInObject(text, fault, model) })
    const { fault, key } = this.#objectDecoder(reject.masked ?? []).decodeAlone(
      text,
      reject.key,
      reject.record - 1,
    )
    // A record that the database refused has its key already, in the row that counts it as rejected.
    const claim = key === undefined || key === reject.key ? undefined : { key, sha256: sha256Of(text) }
    return { id: reject.id, fault: fault && place(fault), describe: place, claim }
  }

  #objectDecoder(masked: readonly string[]): MessageDecoder {
    const key = JSON.stringify(masked)
    let decoder = this.#objects.get(key)
    if (decoder === undefined) {
      const model = withoutMasks(this.#options.model, masked)
      const keyField = dedupField(this.#options.dedupKey)
      const fields = [...sourceColumns(model).map(sourceName), ...(keyField === undefined ? [] : [keyField])]
      const letter = holdsMasks(masked) ? { sha256: '', redacted: fields } : undefined
      decoder = new MessageDecoder({ ...this.#options, model, letter }, this.#rows)
      this.#objects.set(key, decoder)
    }
    return decoder
  }
}

const holdsMasks = (masked: readonly string[] | undefined): boolean =>
  masked !== undefined && masked.length > 0

function surplusFault({ bytes, recordEnd }: RecordReader): Fault | undefined {
  const rest = bytes.subarray(recordEnd)
  if (/^\r?\n?$/.test(rest.toString('latin1', 0, 3))) return undefined
  return {
    code: 'COLUMN_COUNT',
    detail: 'the text holds more than one record',
    span: { start: recordEnd, end: bytes.length },
  }
}

/** A value that was not kept, and that a column would have. */
function redactedFault(reader: RecordReader, model: Model, { fields }: CsvLayout): Fault | undefined {
  if (reader.count !== fields.length) return undefined
  for (const column of sourceColumns(model)) {
    const cell = cellOfColumn(model, fields, column.name)
    if (cell >= 0 && isRedacted(cellBytes(reader, cell).toString('latin1'))) {
      return {
        code: 'VALUE_REDACTED',
        detail: `the value of field ${JSON.stringify(sourceName(column))} was not kept`,
        column: column.name,
      }
    }
  }
  return undefined
}
