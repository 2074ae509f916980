import type { Abortable } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import type { Counts, Sink, StoredDeadLetter, Verdict } from '../sink/sink.ts'
import { Decoder } from './decode.ts'
import { type DedupKey, defaultDedupKey } from './dedup.ts'
import { readReferenced } from './reference.ts'
import { type ReadFault, RootedFiles } from './rooted.ts'

export interface ReplayOptions extends Abortable {
  readonly sink: Sink
  readonly model: Model
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean | undefined
  /** As the consumer's: what tells messages of others apart. */
  readonly dedupKey?: DedupKey | undefined
  /** Folder below which a letter may refer to a file; `.` where it is not given. */
  readonly root?: string | undefined
}

/** Processes a dead letter once more, as if it had just been delivered. The verdict `duplicate` says that it took effect before. */
export async function replay(letter: StoredDeadLetter, options: ReplayOptions): Promise<Verdict> {
  const { sink, model, pipeline = tableName(model), ignoreExtra = false, dedupKey = defaultDedupKey, root = '.' } = options
  const referenced = await read(letter, pipeline, root)
  if (referenced !== undefined && !Buffer.isBuffer(referenced)) return { kind: 'refused', ...referenced }
  const rows = sink.rows(model)
  const decoder = new Decoder({ pipeline, model, ignoreExtra, dedupKey }, rows)
  const decoded = decoder.decode({ ...letter, body: referenced ?? letter.body }, letter.id)
  if (decoded.kind === 'foreign') return { kind: 'refused', code: 'WRONG_PIPELINE', detail: `it belongs to pipeline ${decoded.pipeline}` }
  if (decoded.kind === 'dead') return { kind: 'refused', code: decoded.code, detail: decoded.detail }
  const { parts, claim } = decoded
  const verdicts = await sink.write({ pipeline, model, parts, rows }, options)
  if (claim.load !== undefined) await sink.ledger.fold([claim.load.id], options)
  return together(verdicts)
}

/** Refused if any part is, for the letter is still dead then; a duplicate only if all are. */
function together(verdicts: readonly Verdict[]): Verdict {
  const refused = verdicts.find(({ kind }) => kind === 'refused')
  const applied = verdicts.filter((verdict) => verdict.kind === 'applied')
  if (refused !== undefined || applied.length === 0) return refused ?? { kind: 'duplicate' }
  const sum = (name: keyof Counts) => applied.reduce((total, counts) => total + counts[name], 0)
  return { kind: 'applied', loaded: sum('loaded'), rejected: sum('rejected'), skipped: sum('skipped') }
}

/** The bytes that a letter refers to, because they could not be had when it was buried; undefined where it holds its own. */
async function read(letter: StoredDeadLetter, pipeline: string, root: string): Promise<Buffer | ReadFault | undefined> {
  let files: RootedFiles | undefined
  try {
    return await readReferenced(letter, pipeline, async () => (files = await RootedFiles.open(root)))
  } finally {
    await files?.close()
  }
}
