import { Command } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { exits } from '../../core/errors.ts'
import { tableName } from '../../model/model.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import type { Verdict } from '../../sink/sink.ts'
import { withExamples } from '../settings/examples.ts'
import {
  type ChoiceFlags,
  choiceOf,
  choiceOptions,
  chosenRejects,
  noneToReplay,
  refusalOf,
  withSink,
} from '../run/ledger.ts'
import { loadModel } from '../settings/model.ts'
import {
  dedupKeyOption,
  ignoreExtraOption,
  jsonOption,
  modelOption,
  pipelineOption,
  wholes,
} from '../settings/options.ts'
import { count, print, printJson } from '../terminal/output.ts'
import { reporter } from '../terminal/report.ts'

interface Flags extends ChoiceFlags {
  readonly model: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly json?: boolean
}

/** Of rejects that were not named, so many are told one by one. */
const mostTold = 20

export function replayCommand(): Command {
  const replay = new Command('replay')
    .description(
      'load rejects once more, after the model, the table or the record is mended; twice does no harm',
    )
    .argument('[id...]', 'as rejects list shows them; without, all that are chosen', wholes(1), [])
  const options = [modelOption(), pipelineOption(), ignoreExtraOption(), dedupKeyOption(), jsonOption()]
  for (const option of [...choiceOptions(), ...options]) replay.addOption(option)
  withExamples(replay, [
    ['rejects replay 7'],
    ['rejects replay --code CONSTRAINT_FOREIGN_KEY', 'after the rows that they refer to were loaded'],
    ['rejects replay --model ./my-model.ts', 'all of a model'],
  ])
  return replay.action(async (ids: number[], flags: Flags) => {
    const [{ replayRejects }, model] = await Promise.all([
      import('../../review/rejects.ts'),
      loadModel(flags.model),
    ])
    const { pipeline = tableName(model), ignoreExtra, dedupKey } = flags
    await withSink(flags.to, model, async (sink) => {
      const told = new Outcome(flags.json === true, Math.max(ids.length, mostTold), pipeline)
      // Those of others are theirs to replay, unless they were named.
      const filter = { ...(await choiceOf(sink.ledger, flags)), pipeline }
      const onEvent = reporter()
      for await (const rejects of chosenRejects(sink.ledger, ids, filter)) {
        const verdicts = await replayRejects(rejects, {
          sink,
          model,
          pipeline,
          ignoreExtra,
          dedupKey,
          onEvent,
        })
        for (const [index, reject] of rejects.entries()) told.add(reject, verdicts[index] as Verdict)
      }
      told.end()
    })
  })
}

/** What became of rejects; only the first are told one by one. */
class Outcome {
  readonly #json: boolean
  readonly #most: number
  readonly #pipeline: string
  readonly #sums = { loaded: 0, skipped: 0, duplicates: 0, refused: 0 }
  readonly #results: { readonly id: number; readonly verdict: Verdict }[] = []

  constructor(json: boolean, most: number, pipeline: string) {
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
    else if (all === 0) print(noneToReplay('rejects', this.#pipeline))
    else if (all > 1) {
      const known = duplicates === 0 ? '' : `, had been settled ${count(duplicates)}`
      print(
        `of ${count(all)} rejects: loaded ${count(loaded)}, skipped ${count(skipped)}, still rejected ${count(refused)}${known}`,
      )
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
        : 'it is not open any more, or has taken effect already'
    case 'refused':
      return `still rejected: ${refusalOf(verdict)}`
  }
}
