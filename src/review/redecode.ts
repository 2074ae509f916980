/**
 * A reject → its record decoded again: by the rules by which it was decoded first, and with what a person
 * corrected in it.
 */
import { asBuffer } from '../core/bytes.ts'
import { type Fault, maxRawBytes } from '../core/fault.ts'
import type { Layout } from '../core/load.ts'
import type { Notations } from '../core/notation.ts'
import { sha256Of } from '../core/sha256.ts'
import { messageLayout } from '../format/registry.ts'
import { isMasked, sourceColumns, sourceNames } from '../model/model.ts'
import { withRecord } from '../model/hooks.ts'
import { restated } from '../model/notation/stated.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { StoredReject } from '../sink/ledger.ts'
import type { RejectReplay, Verdict } from '../sink/sink.ts'
import type { DecoderOptions } from '../consumer/decode/decoded.ts'
import { dedupField, fieldKey, recordKey, storableKey } from '../consumer/decode/identity.ts'
import { isRedactedRecord } from '../consumer/decode/keeping.ts'
import { withoutMasks } from '../consumer/decode/kept-header.ts'
import { Records, type Unfit } from '../consumer/decode/records.ts'

type Refused = Verdict & { readonly kind: 'refused' }

const refused = (code: Refused['code'], detail: string): Refused => ({ kind: 'refused', code, detail })

/** A person who replays it wants it loaded, so it stays a reject and says why it is not. */
const leftOut: Fault = { code: 'RECORD_FILTERED', detail: 'the model or an option leaves such records out' }

/** How the record of a reject lies in its text; undefined where that is not known. */
export const layoutOf = ({ layout, loadId }: Pick<StoredReject, 'layout' | 'loadId'>): Layout | undefined =>
  layout ?? (loadId === undefined ? messageLayout : undefined)

export interface RedecoderOptions extends DecoderOptions {
  /** How values are written, over what their load says. */
  readonly notations?: Notations | undefined
}

export class Redecoder {
  readonly #options: RedecoderOptions
  readonly #rows: RowBuffer
  /** By the key of records, their layout, and the fields that hold masks. */
  readonly #records = new Map<string, Records | Unfit>()

  /** Rows are written to `rows`. */
  constructor(options: RedecoderOptions, rows: RowBuffer) {
    this.#options = options
    this.#rows = rows
  }

  /** Refused is what says nothing about the record itself: the reject stays as it is then. */
  decode(reject: StoredReject): RejectReplay | Refused {
    const text = asBuffer(reject.edited ?? reject.raw)
    const refusal = this.#refusal(reject, text)
    if (refusal !== undefined) return refusal
    const layout = layoutOf(reject)
    if (layout === undefined) {
      return refused(
        'RECORD_NOT_KEPT',
        'the columns of its load were not recorded; export it and load it as a file of its own',
      )
    }
    const records = this.#recordsOf(reject, layout)
    return 'code' in records
      ? refused(records.code, `its load ${records.detail}`)
      : this.#decode(reject, text, records)
  }

  #refusal({ pipeline, edited, masked }: StoredReject, text: Buffer): Refused | undefined {
    if (pipeline !== this.#options.pipeline)
      return refused('WRONG_PIPELINE', `it belongs to pipeline ${pipeline}`)
    if (edited === undefined && text.length >= maxRawBytes)
      return refused('RECORD_NOT_KEPT', `no more than ${maxRawBytes} bytes were kept`)
    if (masked === undefined && isMasked(this.#options.model))
      return refused('RECORD_NOT_KEPT', 'what of it was masked was not recorded')
    if (masked !== undefined && masked.length > 0 && isRedactedRecord(text))
      return refused('RECORD_NOT_KEPT', 'it could not be read, so that it could not be masked')
    return undefined
  }

  #decode(reject: StoredReject, text: Buffer, records: Records): RejectReplay {
    const { id, key, loadId, record } = reject
    const field = this.#keyFieldOf(reject)
    const keyOf = () => {
      if (loadId !== undefined) return `${loadId}/${record}`
      return field === undefined ? recordKey(key, record - 1) : storableKey(records.keyText())
    }
    records.reader.openOne(text)
    const left = records.filter?.() ?? false
    const fault = left === true ? leftOut : left === false ? this.#fault(id, records, keyOf) : left
    const place = (each: Fault): Fault => records.placed(text, each, false)
    const own = fault === undefined && field !== undefined ? fieldKey(field, records.keyText()) : key
    // A record that the database refused has its key already, in the row that counts it as rejected.
    const claim = own === key ? undefined : { key: own, sha256: sha256Of(text) }
    return { id, fault: fault && place(fault), describe: place, claim }
  }

  #fault(id: number, records: Records, keyOf: () => string): Fault | undefined {
    try {
      return records.decode({ keyOf, at: Date.now() }, 0)
    } catch (error) {
      throw withRecord(error, () => `reject ${id}`)
    }
  }

  /** Records of a load are identified by their number. */
  #keyFieldOf({ loadId }: StoredReject): string | undefined {
    return loadId === undefined ? dedupField(this.#options.dedupKey) : undefined
  }

  #recordsOf(reject: StoredReject, layout: Layout): Records | Unfit {
    const masked = reject.masked ?? []
    const keyField = this.#keyFieldOf(reject)
    const key = JSON.stringify([layout, masked, keyField])
    let records = this.#records.get(key)
    if (records === undefined) {
      const model = withoutMasks(this.#options.model, masked)
      const { ignoreExtra, notations } = this.#options
      const fields = [
        ...sourceColumns(model).flatMap(sourceNames),
        ...(keyField === undefined ? [] : [keyField]),
      ]
      const redacted = masked.length > 0 ? fields : []
      const written = notations === undefined ? layout : { ...layout, ...restated(layout, notations) }
      records = Records.of(written, { model, ignoreExtra, keyField, redacted }, this.#rows)
      this.#records.set(key, records)
    }
    return records
  }
}
