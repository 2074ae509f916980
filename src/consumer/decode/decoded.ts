/** The input and output of decoding, for chunks and external messages alike. */
import type { Code } from '../../core/errors.ts'
import type { Layout, LoadInfo } from '../../core/load.ts'
import { shortened } from '../../core/text.ts'
import type { Model } from '../../model/model.ts'
import type { Headers } from '../../queue/queue.ts'
import type { Part } from '../../sink/sink.ts'
import type { DedupKey } from './identity.ts'

/** A message as far as decoding needs it: a delivery, or a dead letter that is replayed. */
export interface Message {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  /** The body was found to have the sha256 that the header states. */
  readonly isProved?: boolean | undefined
}

/**
 * What a message turned out to be. Only parts become part of a batch; a foreign one belongs to another
 * pipeline and is left to it.
 */
export type Decoded = Parts | Foreign | Dead

export interface Parts {
  readonly kind: 'parts'
  /** At least one. */
  readonly parts: readonly Part[]
  /** What the message is as a whole. */
  readonly claim: Claim
}

export interface Foreign {
  readonly kind: 'foreign'
  readonly pipeline: string
}

export interface Dead extends Claim {
  readonly kind: 'dead'
  readonly code: Code
  readonly detail: string
  /** What the log says instead, where key or detail hold data of a record. */
  readonly told?: { readonly key: string; readonly detail: string } | undefined
}

/**
 * What a message says that it is; where it is a chunk, its records count as dead in the load's receipt when
 * it dies.
 */
export interface Claim {
  /** Identity in the ledger; the delivery's own key where the message cannot be read. */
  readonly key?: string | undefined
  readonly load?: LoadInfo | undefined
  readonly records: number
}

export interface DecoderOptions {
  readonly pipeline: string
  readonly model: Model
  /** Cells and fields that the model does not know are left out instead of refused. */
  readonly ignoreExtra: boolean
  readonly dedupKey: DedupKey
  /** How the records of external messages lie; each message is a record, or an array or lines of them. */
  readonly messages?: Layout | undefined
  /** Set for a dead letter whose body was masked when it was kept. */
  readonly letter?: MaskedOrigin | undefined
}

/** What is known of a message whose bytes were masked before they were kept. */
export interface MaskedOrigin {
  /** Of the bytes as they came, in hexadecimal. */
  readonly sha256: string
  /** Fields of which a value was redacted. */
  readonly redacted: readonly string[]
  /** sha256 of each original record. */
  readonly records?: readonly string[] | undefined
}

export const dead = (code: Code, detail: string, claim: Claim = { records: 0 }): Dead => ({
  kind: 'dead',
  code,
  detail: shortened(detail),
  ...claim,
})

/** Number of the record that became row `row`, given the records (ascending) that became none. */
export function recordOfRow(row: number, refused: readonly number[]): number {
  let record = row
  for (const each of refused) {
    if (each > record) break
    record++
  }
  return record
}
