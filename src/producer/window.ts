/** Messages that are handed to the queue together. */
import { newTraceparent } from '../core/trace.ts'
import type { Outgoing } from '../queue/queue.ts'
import type { PlannedChunk } from './plan.ts'
import type { PlannedLoad } from './planned-load.ts'

/**
 * Handed to the queue at once: as many bytes as keep a sync to disk cheap, and no more messages than a broker
 * likes.
 */
const windowBytes = 4 * 1024 * 1024
const windowMessages = 256
/**
 * Of bytes that messages only refer to: they cost a sync to disk the same. The first window of a producer is
 * small, so that the consumers begin while it plans the rest.
 */
const windowReferredBytes = 16 * 1024 * 1024
const firstReferredBytes = 2 * 1024 * 1024

export interface WindowSize {
  readonly messages: number
  /** Of CSV, whether the messages hold it or refer to it. */
  readonly bytes: number
}

/** Of a load whose rest is left to a later run: the records that are published, and the chunks that had a verdict before. */
export interface Beginning {
  readonly records: number
  readonly before: number
}

/** What is handed to the queue together, and what is noted when the queue holds it. */
export class Window {
  readonly messages: Outgoing[] = []
  readonly chunks: [PlannedLoad, PlannedChunk][] = []
  /** Loads that are published with this window as a whole, or as far as the run takes them. */
  readonly finished: {
    readonly load: PlannedLoad
    readonly chunks: number
    readonly left: Beginning | undefined
  }[] = []
  readonly traceparent: string | undefined
  readonly #mostReferredBytes: number
  #bytes = 0
  #referredBytes = 0

  constructor(traced: boolean | undefined, isFirst = false) {
    this.#mostReferredBytes = isFirst ? firstReferredBytes : windowReferredBytes
    this.traceparent = traced === true ? newTraceparent() : undefined
  }

  get isFull(): boolean {
    return (
      this.#bytes >= windowBytes ||
      this.#referredBytes >= this.#mostReferredBytes ||
      this.messages.length >= windowMessages
    )
  }

  get size(): WindowSize {
    return { messages: this.messages.length, bytes: this.#bytes + this.#referredBytes }
  }

  add(message: Outgoing, load: PlannedLoad, chunk: PlannedChunk): void {
    this.messages.push(message)
    this.chunks.push([load, chunk])
    this.#bytes += message.body.length
    this.#referredBytes += message.weight ?? 0
  }
}

/** What a window holds of each load. */
export function sharesOf(
  chunks: Window['chunks'],
): readonly { readonly loadId: string; readonly records: number; readonly bytes: number }[] {
  const shares = new Map<string, { loadId: string; records: number; bytes: number }>()
  for (const [{ id: loadId }, { records, bytes }] of chunks) {
    const share = shares.get(loadId)
    shares.set(loadId, {
      loadId,
      records: records + (share?.records ?? 0),
      bytes: bytes + (share?.bytes ?? 0),
    })
  }
  return [...shares.values()]
}
