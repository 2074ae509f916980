/** A load that writes nothing: every record is decoded as the load would decode it. */
import { type DecodeOptions, decodeSource, type Outcome } from '../infer/decoded.ts'
import type { Model } from '../model/model.ts'
import type { ProduceOptions } from '../producer/options.ts'
import { readAs } from '../producer/reading.ts'
import { checkHeads, openSources } from '../producer/sources.ts'
import type { Source } from '../source/source.ts'

export type DryRunOptions = Omit<ProduceOptions, 'queue' | 'model'> & DecodeOptions

/** Of each source, in their order; `input` is the copy of standard input. */
export async function dryRun(
  options: DryRunOptions,
  model: Model,
  input?: Source,
): Promise<readonly Outcome[]> {
  const named = await openSources(options)
  const sources = input === undefined ? named : [...named, await readAs(input, options)]
  await checkHeads(sources, { ...options, model } as Parameters<typeof checkHeads>[1])
  const outcomes: Outcome[] = []
  for (const source of sources) outcomes.push(await decodeSource(source, model, options))
  return outcomes
}
