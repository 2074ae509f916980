import { LadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { type InsideOptions, messagesLayout } from '../format/registry.ts'
import { modelOfChanges } from '../model/change.ts'
import { tableName } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { chunkKey, readableEnvelope } from '../queue/envelope.ts'
import { objectHeader } from '../queue/header.ts'
import type { Counts, StoredDeadLetter } from '../sink/ledger.ts'
import type { Sink, Verdict } from '../sink/sink.ts'
import { requireChanges } from '../sink/table.ts'
import { Decoder } from '../consumer/decode/decode.ts'
import { type DedupKey, defaultDedupKey } from '../consumer/decode/identity.ts'
import { type MaskedBody, maskedBodyOf, withoutMasks } from '../consumer/decode/kept-header.ts'
import { readBody } from '../consumer/bodies.ts'
import type { MessageFault } from '../queue/queue.ts'
import type { ReadFault, References } from '../source/source.ts'
import { openReferences } from '../source/registry.ts'
import { zoneWarning } from '../consumer/zones.ts'

/** By what a dead letter is processed again: as its consumer had them. */
export interface ReplayOptions extends Abortable, InsideOptions {
  readonly sink: Sink
  readonly model: Model
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean | undefined
  /** As the consumer's: what identifies external messages. */
  readonly dedupKey?: DedupKey | undefined
  /** Folder below which a letter may refer to a file; `.` where it is not given. */
  readonly root?: string | undefined
  readonly onEvent?: Listener | undefined
}

/**
 * Processes a dead letter again, as if it had just been delivered. The verdict `duplicate` says that it took
 * effect before.
 */
export async function replayLetter(letter: StoredDeadLetter, options: ReplayOptions): Promise<Verdict> {
  const model = modelOfChanges(options.model, options.unwrap)
  const {
    sink,
    pipeline = tableName(model),
    ignoreExtra = false,
    dedupKey = defaultDedupKey,
    root = '.',
  } = options
  if (letter.pipeline !== pipeline)
    return { kind: 'refused', code: 'WRONG_PIPELINE', detail: `it belongs to pipeline ${letter.pipeline}` }
  const object = letter.headers[objectHeader]
  if (object !== undefined)
    return { kind: 'refused', code: 'OBJECT_APART', detail: `it stands for ${object}` }
  const masked = maskedBodyOf(letter)
  if (masked !== undefined && 'bytes' in masked)
    return replayWithoutBody(letter, pipeline, masked.bytes, options)
  const body = await read(letter, pipeline, root)
  if (body !== undefined && !Buffer.isBuffer(body)) return { kind: 'refused', ...body }
  requireChanges(sink, model)
  const rows = sink.rows(model)
  const messages = messagesLayout(masked?.isApart === true ? {} : options)
  const reading = { messages, ...readingOf(letter, model, masked) }
  const decoder = new Decoder({ pipeline, ignoreExtra, dedupKey, ...reading }, rows)
  const decoded = decoder.decode({ ...letter, body: body ?? letter.body }, true)
  // v8 ignore next -- a consumer buries no message of another pipeline
  if (decoded.kind === 'foreign')
    return { kind: 'refused', code: 'WRONG_PIPELINE', detail: `it belongs to pipeline ${decoded.pipeline}` }
  if (decoded.kind === 'dead') return { kind: 'refused', code: decoded.code, detail: decoded.detail }
  const { parts, claim } = decoded
  const verdicts = await sink.replayLetter(letter.id, { pipeline, model, parts, rows }, options)
  if (claim.load !== undefined) {
    const message = await zoneWarning(sink.ledger, model, [claim.load.id], options)
    if (message !== undefined) options.onEvent?.({ type: 'warning', message })
    await sink.ledger.fold([claim.load.id], options)
  }
  return together(verdicts)
}

/**
 * What was masked when the letter was stored is not masked again; its identity is that of the original bytes.
 */
function readingOf(
  { sha256 }: StoredDeadLetter,
  model: Model,
  masked: Exclude<MaskedBody, { readonly bytes: number }> | undefined,
) {
  if (masked === undefined) return { model }
  const { redacted, records } = masked
  return { model: withoutMasks(model, masked.masked), letter: { sha256, redacted, records } }
}

/**
 * There is nothing to process; a chunk that has been published again since, and has its verdict, settles its
 * letter.
 */
async function replayWithoutBody(
  letter: StoredDeadLetter,
  pipeline: string,
  bytes: number,
  options: ReplayOptions,
): Promise<Verdict> {
  const { sink, model } = options
  const detail = `its ${bytes} bytes were not kept, because the model masks personal data`
  // What the header said may not have been kept either.
  const chunk = readableEnvelope(letter.headers)
  if (chunk === undefined)
    return { kind: 'refused', code: 'BODY_NOT_KEPT', detail: `${detail}: its sender has to send it again` }
  // Its records were counted when a replay with a model without masks failed.
  if (letter.records > 0)
    return {
      kind: 'refused',
      code: 'BODY_NOT_KEPT',
      detail: `${detail}: its file has to be loaded with --again`,
    }
  const key = chunkKey(chunk.load.id, chunk.chunk)
  const progress = await sink.ledger.progress(chunk.load.id, options)
  if (progress?.complete !== true && progress?.keys.has(key) !== true) {
    return {
      kind: 'refused',
      code: 'BODY_NOT_KEPT',
      detail: `${detail}: lading verify --republish-missing publishes the chunk again`,
    }
  }
  const describe = (): never => {
    // v8 ignore next -- no sink asks for a row where there is none
    throw new LadingError('INTERNAL', 'a part without rows has no row to describe')
  }
  const part = {
    key,
    sha256: letter.sha256,
    load: chunk.load,
    records: 0,
    rows: 0,
    rejects: [],
    describe,
  }
  const batch = { pipeline, model, parts: [part], rows: sink.rows(model) }
  return together(await sink.replayLetter(letter.id, batch, options))
}

/** Refused if any part is, for the letter is still dead then; a duplicate only if all are. */
function together(verdicts: readonly Verdict[]): Verdict {
  const refused = verdicts.find((verdict) => verdict.kind === 'refused')
  const applied = verdicts.filter((verdict) => verdict.kind === 'applied')
  if (refused !== undefined || applied.length === 0) return refused ?? { kind: 'duplicate' }
  const sum = (name: keyof Counts) => applied.reduce((total, counts) => total + counts[name], 0)
  return { kind: 'applied', loaded: sum('loaded'), rejected: sum('rejected'), skipped: sum('skipped') }
}

/**
 * The bytes that a letter refers to, because they could not be had when it was buried; undefined where it
 * holds its own.
 */
async function read(
  letter: StoredDeadLetter,
  pipeline: string,
  root: string,
): Promise<Buffer | ReadFault | MessageFault | undefined> {
  let files: References | undefined
  try {
    return await readBody(letter, pipeline, async () => (files = await openReferences(root)))
  } finally {
    await files?.close()
  }
}
