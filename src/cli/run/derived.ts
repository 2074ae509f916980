/** A model without a module: how the processes of one load, and later commands, come to the same one. */
import type { Listener } from '../../core/events.ts'
import { ignoreEvents } from '../../core/events.ts'
import { retrying } from '../../core/retry.ts'
import type { Model } from '../../model/model.ts'
import { type Derivation, derive } from '../../sink/derive.ts'
import type { Sink } from '../../sink/sink.ts'

/** The model's name or path, or how it is derived. */
export type ModelSource = string | Derivation

const variable = 'LADING_DERIVATION'

/** What tells a consumer process of a load its model. Any user may read the arguments of a process. */
export const modelVariables = (model: ModelSource): Readonly<Record<string, string>> =>
  typeof model === 'string' ? { LADING_MODEL: model } : { [variable]: JSON.stringify(model) }

/** What the load that started this process has told it. */
export function derivationFrom(env: Readonly<Record<string, string | undefined>>): Derivation | undefined {
  const text = env[variable]
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as Derivation)
}

interface Patience {
  readonly signal: AbortSignal
  readonly deadlineMs: number
  readonly onEvent?: Listener
}

/** Waits for a database that is not there yet. */
export const derivePatiently = (
  sink: Sink,
  derivation: Derivation,
  { signal, deadlineMs, onEvent = ignoreEvents }: Patience,
): Promise<Model> =>
  retrying((connectMs) => derive(sink, derivation, { signal, connectMs }), { signal, onEvent, deadlineMs })
