import { Command } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { exits } from '../../core/errors.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import type { Verdict } from '../../sink/sink.ts'
import { withExamples } from '../settings/examples.ts'
import {
  type ChoiceFlags,
  choiceOf,
  choiceOptions,
  chosenRejects,
  PassedOver,
  refusalOf,
  withKeptModels,
  withoutModel,
} from '../run/ledger.ts'
import { type ValueFlags, valueOptions, valueSettings } from '../settings/notation.ts'
import {
  dedupKeyOption,
  ignoreExtraOption,
  jsonOption,
  keptModelOption,
  pipelineOption,
  type TableFlags,
  tableOptions,
  wholes,
} from '../settings/options.ts'
import { count, print, printJson } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'

interface Flags extends ChoiceFlags, TableFlags, ValueFlags {
  readonly model?: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly json?: boolean
}

/** Most outcomes to print one by one if no ids were given. */
const mostTold = 20

export function replayCommand(): Command {
  const replay = new Command('replay')
    .description('load rejects again, after the model, the table or the record is corrected; safe to repeat')
    .argument('[id...]', 'ids in rejects list (default: all selected ones)', wholes(1), [])
  const more = [
    keptModelOption(),
    ...tableOptions(),
    ...valueOptions(),
    pipelineOption(),
    ignoreExtraOption(),
    dedupKeyOption(),
    jsonOption(),
  ]
  for (const option of [...choiceOptions(), ...more]) replay.addOption(option)
  withExamples(replay, [
    ['rejects replay 7'],
    ['rejects replay --code CONSTRAINT_FOREIGN_KEY', 'after loading the rows that they refer to'],
    ['rejects replay --null n/a', 'after values that are none were refused'],
    ['rejects replay --model ./my-model.ts', 'all of a model'],
  ])
  return replay.action(async (ids: number[], flags: Flags) => {
    const notations = valueSettings(flags)
    const { replayAnyRejects } = await import('../../review/replay.ts')
    await withKeptModels(flags, async (sink, models, given) => {
      const { ignoreExtra, dedupKey, pipeline } = flags
      const asked = pipeline ?? given.ofModel ?? given.ofTable
      const told = new Outcome(flags.json === true, Math.max(ids.length, mostTold), asked)
      // Skip rejects of other pipelines, unless their ids were given.
      const filter = { ...(await choiceOf(sink.ledger, flags)), pipeline: asked }
      const options = { sink, models, pipeline, ignoreExtra, dedupKey, notations, onEvent: reporter() }
      for await (const rejects of chosenRejects(sink.ledger, ids, filter)) {
        const verdicts = await replayAnyRejects(rejects, options)
        for (const [index, reject] of rejects.entries()) {
          const verdict = verdicts[index]
          if (verdict !== undefined) told.add(reject, verdict)
          else if (ids.length > 0) told.add(reject, withoutModel(reject))
          else told.passed.add(reject)
        }
      }
      told.end()
    })
  })
}

/** Outcomes of a replay; prints only the first ones one by one. */
class Outcome {
  readonly #json: boolean
  readonly #most: number
  readonly #pipeline: string | undefined
  readonly passed = new PassedOver()
  readonly #sums = { loaded: 0, skipped: 0, duplicates: 0, refused: 0 }
  readonly #results: { readonly id: number; readonly verdict: Verdict }[] = []

  constructor(json: boolean, most: number, pipeline: string | undefined) {
    this.#json = json
    this.#most = most
    this.#pipeline = pipeline
  }

  add(reject: StoredReject, verdict: Verdict): void {
    const sums = this.#sums
    if (verdict.kind === 'refused') sums.refused++
    else if (verdict.kind === 'duplicate') sums.duplicates++
    else if (verdict.loaded > 0) sums.loaded++
    else sums.skipped++
    if (this.#results.length >= this.#most) return
    this.#results.push({ id: reject.id, verdict })
    if (!this.#json) print(`${reject.id}: ${words(reject, verdict)}`)
  }

  end(): void {
    const { loaded, skipped, duplicates, refused } = this.#sums
    if (refused > 0) process.exitCode = exits.rejects
    const all = loaded + skipped + duplicates + refused
    if (this.#json) printJson({ ...this.#sums, results: this.#results })
    else {
      const known = duplicates === 0 ? '' : `, already settled ${count(duplicates)}`
      if (all > 1)
        print(
          `of ${count(all)} rejects: loaded ${count(loaded)}, skipped ${count(skipped)}, still rejected ${count(refused)}${known}`,
        )
      this.passed.print('reject', all === 0, this.#pipeline)
    }
  }
}

function words(reject: StoredReject, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'applied':
      return verdict.loaded > 0 ? 'loaded' : 'skipped, as the model says of a key that exists'
    case 'duplicate':
      return reject.state === 'discarded'
        ? 'it was discarded'
        : 'it is no longer open, or was already applied'
    case 'refused':
      return `still rejected: ${refusalOf(verdict)}`
  }
}
