/**
 * Pass 2 over a source: reads each planned chunk again, proves that it is still what was planned, and
 * publishes it. A chunk that travels by reference is not read again: its consumer reads and proves it. On
 * the same machine (`carry: 'local'`) that ends with the first sign that the file was changed: from there on
 * the chunks are read and proved here, so that no more is published of a file than what was planned.
 */
import { randomUUID } from 'node:crypto'
import { LadingError } from '../core/errors.ts'
import { maxReferenceBytes } from '../core/load.ts'
import type { Listener } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import { type Abortable, unlessAborted } from '../core/wait.ts'
import { sha256Of } from '../core/sha256.ts'
import { SpareMemory } from '../core/spare.ts'
import { traceHeaders } from '../core/trace.ts'
import { type ChunkReference, chunkKey, envelopeHeaders, targetOf } from '../queue/envelope.ts'
import type { Queue } from '../queue/queue.ts'
import type { PlannedChunk } from './plan.ts'
import type { CarryOptions, ReferenceOf } from '../source/carry.ts'
import { readRanges } from '../source/ranges.ts'
import type { Source } from '../source/source.ts'
import type { PlannedLoad } from './planned-load.ts'
import type { ProducerState } from './state.ts'
import { type Beginning, sharesOf, Window, type WindowSize } from './window.ts'

export interface PublishOptions extends Abortable {
  /**
   * Awaited before each window (4 MiB, up to 16 MiB of references, or 256 messages) is published, to hold the
   * producer back while enough waits in the queue; meanwhile it reads one more window at most. It is not
   * awaited after a stop. An error that it throws ends the producer, as one of the queue does.
   */
  readonly room?: ((next: WindowSize) => Promise<void>) | undefined
  /**
   * Place of the sink that the chunks are for: no consumer of another database takes them. Without it any
   * consumer does.
   */
  readonly target?: string | undefined
  /**
   * Messages carry the span of the window they were published in, for the traces of their consumers.
   */
  readonly traced?: boolean
  /** Publish chunks that the queue may have taken before. */
  readonly resend?: boolean
}

/**
 * Collects messages across files and publishes them in windows, because with many small files the sync to
 * disk sets the cost. While the queue takes one window, the next one is read. Windows are published one after
 * the other, so that confirmed chunks have no gaps. After a window fails, none is published, and every call
 * throws its error.
 */
export class Publisher {
  readonly #queue: Queue
  readonly #state: ProducerState
  readonly #options: PublishOptions & CarryOptions
  readonly #onEvent: Listener
  readonly #referenceOf: ReferenceOf
  readonly #spare = new SpareMemory()
  /** The hash by which envelopes name the database. */
  readonly #target: string | undefined
  /**
   * The same for everything that this publisher sends, so that a window that is retried is not taken twice.
   */
  readonly #resent: { readonly resent?: string }
  #window: Window
  #underWay: Promise<void> = Promise.resolve()

  constructor(
    queue: Queue,
    state: ProducerState,
    onEvent: Listener,
    referenceOf: ReferenceOf,
    options: PublishOptions & CarryOptions,
  ) {
    this.#queue = queue
    this.#state = state
    this.#onEvent = onEvent
    this.#referenceOf = referenceOf
    this.#options = options
    this.#target = options.target === undefined ? undefined : targetOf(options.target)
    this.#resent = options.resend === true ? { resent: randomUUID() } : {}
    this.#window = new Window(options.traced, true)
  }

  /**
   * Publishes the chunks that `wanted` accepts and returns their number; the last of them may wait for
   * `flush`. `kept` are the plain bytes of the source, if they are at hand; `left` where the rest is left to a later run.
   */
  async publish(
    load: PlannedLoad,
    source: Source,
    chunks: Iterable<PlannedChunk>,
    wanted: (key: string) => boolean,
    { kept, left }: { readonly kept?: Buffer | undefined; readonly left?: Beginning | undefined } = {},
  ): Promise<number> {
    if ((await source.state()) !== load.state) throw changed(load, 'since it was planned')
    const open = only(chunks, (each) => wanted(chunkKey(load.id, each.chunk)))
    let published = 0
    for await (const [chunk, body] of this.#contents(load, source, open, kept)) {
      if (this.#options.signal?.aborted)
        throw new LadingError('ABORTED', `stopped while publishing ${load.path}`)
      if (Buffer.isBuffer(body) && sha256Of(body) !== chunk.sha256)
        throw changed(load, `at byte ${chunk.byteStart}`)
      await this.#add(load, chunk, body)
      published++
    }
    // Every chunk was as planned, but a source that grew meanwhile is another load now: report it.
    if ((await source.state()) !== load.state) throw changed(load, 'while it was published')
    this.#window.finished.push({ load, chunks: published, left })
    return published
  }

  /** Of each chunk its bytes, or the path by which its message refers to them. */
  async *#contents(
    load: PlannedLoad,
    source: Source,
    chunks: Iterable<PlannedChunk>,
    kept: Buffer | undefined,
  ): AsyncGenerator<[PlannedChunk, Buffer | string]> {
    const isLocal = this.#options.carry === 'local'
    // What is at hand already costs its consumer less than opening the file.
    const path = isLocal && kept !== undefined ? undefined : await this.#referenceOf(source)
    if (path === undefined) return yield* this.#bodies(source, chunks, kept)
    const rest = chunks[Symbol.iterator]()
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      const chunk = next.value
      if (isLocal && !(await mayRefer(load, source, chunk)))
        return yield* this.#bodies(source, following(chunk, rest), kept)
      // A chunk without a byte refers to nothing.
      yield [chunk, chunk.bytes === 0 ? Buffer.alloc(0) : path]
    }
  }

  #bodies(source: Source, chunks: Iterable<PlannedChunk>, kept: Buffer | undefined) {
    if (kept !== undefined)
      return withBodies(chunks, ({ byteStart, bytes }) => kept.subarray(byteStart, byteStart + bytes))
    return readRanges(source, chunks, (bytes) => this.#spare.take(bytes))
  }

  async #add(load: PlannedLoad, chunk: PlannedChunk, content: Buffer | string): Promise<void> {
    const { maxBytes } = this.#queue.traits
    const [body, path] = typeof content === 'string' ? [Buffer.alloc(0), content] : [content, undefined]
    if (body.length > maxBytes)
      throw new LadingError(
        'MESSAGE_TOO_LARGE',
        `${load.path}: a chunk has ${body.length} bytes, the queue takes ${maxBytes}`,
      )
    if (path !== undefined && chunk.bytes > maxReferenceBytes)
      throw new LadingError(
        'MESSAGE_TOO_LARGE',
        `${load.path}: a chunk has ${chunk.bytes} bytes, a reference takes ${maxReferenceBytes}`,
      )
    const reference = path === undefined ? undefined : { path, bytes: chunk.bytes }
    const headers = {
      ...headersOf(load, chunk, { target: this.#target, reference }),
      ...traceHeaders(this.#window.traceparent),
    }
    const message = {
      key: chunkKey(load.id, chunk.chunk),
      body,
      headers,
      ...(reference && { weight: reference.bytes }),
      ...this.#resent,
    }
    this.#window.add(message, load, chunk)
    if (this.#window.isFull) await this.#handOver()
  }

  /** Resolves when the queue holds everything that was given to `publish`. */
  async flush(): Promise<void> {
    await this.#handOver()
    await this.#underWay
  }

  /** Waits for the window before, and not for this one. */
  async #handOver(): Promise<void> {
    await this.#underWay
    const window = this.#window
    this.#window = new Window(this.#options.traced)
    this.#underWay = this.#publishWindow(window)
    // Without this an error would count as unhandled while the next window is read; it is thrown by the next
    // await.
    this.#underWay.catch(() => undefined)
  }

  /**
   * Tries until the queue takes the window. Publishing twice is harmless, so nothing needs to be known of
   * what failed.
   */
  async #publishWindow({ messages, chunks, finished, size, traceparent }: Window): Promise<void> {
    const { signal = new AbortController().signal, room } = this.#options
    if (messages.length > 0) {
      if (room !== undefined && !signal.aborted) await unlessAborted(room(size), signal)
      const since = performance.now()
      await retrying(() => this.#queue.publish(messages, { signal }), { signal, onEvent: this.#onEvent })
      const publishMs = performance.now() - since
      const trace = traceparent === undefined ? {} : { traceparent }
      this.#onEvent({ type: 'window', ...size, publishMs, loads: sharesOf(chunks), ...trace })
    }
    for (const { body } of messages) this.#spare.give(body)
    this.#state.confirm(
      chunks.map(([load, { chunk }]) => [load, chunk]),
      finished.filter(({ left }) => left === undefined).map(({ load }) => load),
    )
    for (const { load, chunks: published, left } of finished) {
      const { id: loadId, name: source, records } = load
      const due = left === undefined ? {} : { records: left.records, due: left.before + published }
      this.#onEvent({ type: 'published', loadId, source, records, chunks: published, ...due })
    }
  }
}

function* only<T>(items: Iterable<T>, wanted: (item: T) => boolean): Generator<T> {
  for (const item of items) if (wanted(item)) yield item
}

function* following<T>(first: T, rest: Iterator<T>): Generator<T> {
  yield first
  yield* { [Symbol.iterator]: () => rest }
}

/** Whether the chunk may be read from the file, as far as the file system says. */
const mayRefer = async ({ state }: PlannedLoad, source: Source, { bytes }: PlannedChunk): Promise<boolean> =>
  bytes <= maxReferenceBytes && (await source.state()) === state

function* withBodies(
  chunks: Iterable<PlannedChunk>,
  bodyOf: (chunk: PlannedChunk) => Buffer,
): Generator<[PlannedChunk, Buffer]> {
  for (const chunk of chunks) yield [chunk, bodyOf(chunk)]
}

const changed = (load: PlannedLoad, where: string): LadingError =>
  new LadingError(
    'SOURCE_CHANGED',
    `${load.path} changed ${where}; load ${load.id} holds nothing but what was planned`,
  )

interface Particulars {
  readonly target: string | undefined
  readonly reference: ChunkReference | undefined
}

function headersOf(load: PlannedLoad, chunk: PlannedChunk, { target, reference }: Particulars) {
  const { id, sha256, bytes, plan, chunks, records } = load
  return envelopeHeaders({
    pipeline: load.pipeline,
    ...(target && { target }),
    load: { id, source: load.name, sha256, bytes, plan, chunks, records },
    chunk: chunk.chunk,
    records: chunk.records,
    sha256: chunk.sha256,
    byteStart: chunk.byteStart,
    firstRecord: chunk.firstRecord,
    firstLine: chunk.firstLine,
    layout: load.layout,
    ...(reference && { reference }),
  })
}
