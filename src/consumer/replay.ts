import type { Abortable } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import type { Sink, StoredDeadLetter, Verdict } from '../sink/sink.ts'
import { ChunkDecoder } from './chunk.ts'

export interface ReplayOptions extends Abortable {
  readonly sink: Sink
  readonly model: Model
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean | undefined
}

/** Processes a dead letter once more, as if it had just been delivered. The verdict `duplicate` says that it took effect before. */
export async function replay(letter: StoredDeadLetter, options: ReplayOptions): Promise<Verdict> {
  const { sink, model, pipeline = tableName(model), ignoreExtra = false } = options
  const rows = sink.rows(model)
  const decoded = new ChunkDecoder({ pipeline, model, ignoreExtra }, rows).decode(letter, letter.id)
  if (decoded.kind === 'foreign') return { kind: 'refused', code: 'WRONG_PIPELINE', detail: `it belongs to pipeline ${decoded.pipeline}` }
  if (decoded.kind === 'dead') return { kind: 'refused', code: decoded.code, detail: decoded.detail }
  const [verdict] = await sink.write({ pipeline, model, parts: [decoded.part], rows }, options)
  if (decoded.part.load !== undefined) await sink.ledger.fold([decoded.part.load.id], options)
  return verdict as Verdict
}
