/** Which sources of a run have not changed since they were planned: their loads are known without reading them. */
import { existsSync } from 'node:fs'
import { breath } from '../core/wait.ts'
import { Clues } from './clues.ts'
import { defaultStatePath, openState, pipelineOf, type ProduceOptions } from './options.ts'
import type { Sources } from './sources.ts'

/** Clues that the state is asked for at once. */
const page = 1_000

export class KnownPlans {
  /** By source: the number of the plan in the state, or 0. */
  readonly #plans: Uint32Array

  constructor(plans = new Uint32Array()) {
    this.#plans = plans
  }

  /** Of the source, by its place among the sources; undefined of one that must be read. */
  planOf(index: number): number | undefined {
    const plan = this.#plans[index] ?? 0
    return plan === 0 ? undefined : plan
  }

  /** Of the sources from `index` on, the next `count`. */
  plansOf(index: number, count: number): readonly number[] {
    return [...this.#plans.subarray(index, index + count)].filter((plan) => plan > 0)
  }
}

/**
 * What is begun a second time, or from scratch, is read; and so is everything, if the caller wants it. The size
 * of each source is asked on the way.
 */
export async function knownPlans(
  sources: Sources,
  options: ProduceOptions & { readonly fresh?: boolean | undefined },
): Promise<KnownPlans> {
  const { again, fresh, readAll, statePath = defaultStatePath } = options
  if (again === true || fresh === true || readAll === true || !existsSync(statePath)) return new KnownPlans()
  using state = openState(options)
  const clues = new Clues(state.scope, pipelineOf(options), options)
  const plans = new Uint32Array(sources.size)
  const breathe = breath()
  let bytes = 0
  for (let start = 0; start < sources.size; start += page) {
    const places = new Map<string, number>()
    for (let index = start; index < Math.min(start + page, sources.size); index++) {
      const pause = breathe()
      if (pause !== undefined) await pause
      const made = sources.at(index)
      const source = made instanceof Promise ? await made : made
      const stamp = source.stamp?.()
      if (stamp === undefined) continue
      bytes += stamp.size
      places.set(clues.of(source, stamp), index)
    }
    for (const { clue, no } of state.plansWith([...places.keys()])) plans[places.get(clue) as number] = no
  }
  sources.setBytes(bytes)
  return new KnownPlans(plans)
}
