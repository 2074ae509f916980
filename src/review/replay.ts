/** Replays what is kept, of whatever loads, each by its own model. */
import { LadingError } from '../core/errors.ts'
import { requireFields } from '../model/fields.ts'
import type { Model } from '../model/model.ts'
import { readableEnvelope } from '../queue/envelope.ts'
import type { StoredDeadLetter, StoredReject } from '../sink/ledger.ts'
import type { Verdict } from '../sink/sink.ts'
import { replayLetter, type ReplayOptions } from './letters.ts'
import type { Kept, KeptModels } from './models.ts'
import { layoutOf } from './redecode.ts'
import { replayRejects, type ReplayRejectsOptions } from './rejects.ts'

export interface ReplayAnyOptions extends Omit<ReplayOptions, 'model'> {
  readonly models: KeptModels
  /** By default the pipeline of each. */
  readonly pipeline?: string | undefined
}

type Refused = Verdict & { readonly kind: 'refused' }

/** A table that is gone, or that a model does not fit, keeps back only what is to go there. */
async function modelOrRefusal(models: KeptModels, kept: Kept): Promise<Model | Refused | undefined> {
  try {
    return await models.modelOf(kept)
  } catch (error) {
    if (!(error instanceof LadingError) || error.action !== 'halt') throw error
    return { kind: 'refused', code: error.code, detail: error.message }
  }
}

/** The verdict of each, in order; undefined where its load had a model of its own, which is not given. */
export async function replayAnyRejects(
  rejects: readonly StoredReject[],
  { models, ...options }: ReplayAnyOptions & Pick<ReplayRejectsOptions, 'notations'>,
): Promise<readonly (Verdict | undefined)[]> {
  const verdicts: (Verdict | undefined)[] = rejects.map(() => undefined)
  const found = []
  for (const [index, reject] of rejects.entries()) {
    const { pipeline } = reject
    const model = await modelOrRefusal(models, { pipeline, layout: layoutOf(reject) })
    if (model !== undefined && 'kind' in model) verdicts[index] = model
    else if (model !== undefined) found.push({ index, reject, model, pipeline: options.pipeline ?? pipeline })
  }
  // Records of some tables may lack a field that those of others have.
  if (found.length > 0) requireFields(options.notations ?? {}, models.fields)
  for (const group of Map.groupBy(
    found,
    ({ model, pipeline }) => `${model.fingerprint} ${pipeline}`,
  ).values()) {
    const [{ model, pipeline }] = group as [(typeof group)[number]]
    const own = await replayRejects(
      group.map(({ reject }) => reject),
      { ...options, model, pipeline },
    )
    for (const [at, { index }] of group.entries()) verdicts[index] = own[at]
  }
  return verdicts
}

/** Undefined where its load had a model of its own, which is not given. */
export async function replayAnyLetter(
  letter: StoredDeadLetter,
  { models, ...options }: ReplayAnyOptions,
): Promise<Verdict | undefined> {
  const { pipeline, headers } = letter
  const model = await modelOrRefusal(models, { pipeline, layout: readableEnvelope(headers)?.layout })
  if (model === undefined || 'kind' in model) return model
  return replayLetter(letter, { ...options, model, pipeline: options.pipeline ?? pipeline })
}
