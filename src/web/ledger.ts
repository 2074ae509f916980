/**
 * The page's access to the ledger. It opens its own sink on the first request, so that no batch waits for a
 * person. Every query is bounded in time and memory.
 */
import { asBuffer } from '../core/bytes.ts'
import { formatOf } from '../format/registry.ts'
import { type Kept, keptLetters, keptRejects } from '../review/kept.ts'
import { layoutOf } from '../review/redecode.ts'
import { editReject } from '../review/rejects.ts'
import type { ReplayOptions } from '../review/letters.ts'
import { KeptModels, type KeptModelsOptions } from '../review/models.ts'
import { replayAnyLetter, type ReplayAnyOptions, replayAnyRejects } from '../review/replay.ts'
import { LadingError } from '../core/errors.ts'
import type { Abortable } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import type { Ledger, ListFilter, Page, StoredDeadLetter, StoredReject } from '../sink/ledger.ts'
import type { Sink } from '../sink/sink.ts'
import type { KeptAnswer, KeptItem, ListAnswer, Outcome, Reason } from './answers.ts'
import { type Correction, corrected } from './edit.ts'
import { letterAnswer, letterItem, rejectAnswer, rejectItem } from './kept.ts'
import { eachOf, gone, outcomeOf, type Results, resultsOf, resultsOneByOne, withoutModel } from './outcome.ts'
import { type Question, search } from './search.ts'

export interface LedgerAccess {
  openSink(): Promise<Sink>
  /** What is known of the models of loads. */
  loadModels(): Promise<Omit<KeptModelsOptions, 'pipeline' | 'signal'>>
  /** Show all pipelines, whatever model is given. */
  readonly ofAll?: boolean
  readonly replay: Omit<ReplayOptions, 'sink' | 'model' | 'signal'>
}

/** Rejects or dead letters: the page handles both alike. */
export interface KeptList {
  list(question: Question): Promise<ListAnswer<KeptItem>>
  show(id: number): Promise<KeptAnswer | undefined>
  replay(ids: readonly number[]): Promise<Outcome[]>
  /** Discarded entries still count as not loaded. */
  discard(ids: readonly number[]): Promise<Outcome[]>
  /** The record or body as it is stored. */
  file(id: number): Promise<KeptFile | undefined>
}

/** Keeps what a person made of the record of an open reject; undefined if there is no such reject. */
type Edit = (id: number, version: string, correction: Correction) => Promise<KeptAnswer | undefined>

interface KeptFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** How rejects and dead letters differ on the page. */
interface Kind<Stored> {
  readonly textOf: (stored: Stored) => Uint8Array
  readonly nameOf: (stored: Stored) => string
  readonly item: (stored: Stored) => KeptItem
  readonly answer: (stored: Stored) => KeptAnswer
  readonly replay: (stored: readonly Stored[], options: ReplayAnyOptions) => Promise<Results<Stored>>
}

/** Time limits of an answer and of a change to all selected entries, in milliseconds. */
const answerMs = 5_000
const changeMs = 30_000
/** Shortest time between two counts of the reasons, in milliseconds. */
const leastCountMs = 3_000
/** Loads whose reasons are remembered. */
const mostCounted = 8
const mostDetail = 300

export class WebLedger implements AsyncDisposable {
  readonly #access: LedgerAccess
  #opening: Promise<Sink> | undefined
  #lastChange: Promise<unknown> = Promise.resolve()
  /** By load, and of all loads by ''. */
  readonly #counts = new Map<string, { reasons: readonly Reason[]; againAt: number }>()
  readonly #closed = new AbortController()

  constructor(access: LedgerAccess) {
    this.#access = access
  }

  /** The pipeline is that of the run; undefined for all of them. */
  async ask<T>(
    question: (ledger: Ledger, options: { signal: AbortSignal; pipeline: string | undefined }) => Promise<T>,
  ): Promise<T> {
    const ledger = await this.#ledger()
    return question(ledger, { ...this.#within(answerMs), pipeline: await this.#pipeline() })
  }

  /** Counting millions takes long, so the interval grows with the duration of the last count. */
  async reasons(loadId?: string): Promise<readonly Reason[]> {
    const key = loadId ?? ''
    const last = this.#counts.get(key)
    const began = performance.now()
    if (last !== undefined && began < last.againAt) return last.reasons
    const [oldest] = [...this.#counts.keys()].filter((each) => each !== '')
    if (this.#counts.size > mostCounted && oldest !== undefined) this.#counts.delete(oldest)
    const count = { reasons: last?.reasons ?? [], againAt: began + answerMs }
    this.#counts.set(key, count)
    const ledger = await this.#ledger()
    const filter = { pipeline: await this.#pipeline(), loadId }
    count.reasons = await ledger.rejectGroups(filter, this.#within(answerMs))
    count.againAt = performance.now() + Math.max(leastCountMs, 50 * (performance.now() - began))
    return count.reasons
  }

  readonly rejects: KeptList & { readonly edit: Edit } = {
    ...this.#list<StoredReject>(keptRejects, {
      textOf: ({ edited, raw }) => edited ?? raw,
      nameOf: rejectName,
      item: rejectItem,
      answer: rejectAnswer,
      replay: (rejects, options) => resultsOf(rejects, (some) => replayAnyRejects(some, options)),
    }),
    edit: (id, version, correction) => this.#edit(id, version, correction),
  }

  readonly letters = this.#list<StoredDeadLetter>(keptLetters, {
    textOf: ({ body }) => body,
    nameOf: ({ id }) => `dead-letter-${id}.bin`,
    item: letterItem,
    answer: letterAnswer,
    replay: (letters, options) => resultsOneByOne(letters, (letter) => replayAnyLetter(letter, options)),
  })

  #list<Stored extends { readonly id: number }>(kept: Kept<Stored>, kind: Kind<Stored>): KeptList {
    const find = async (filter: ListFilter & Page, options: Abortable) =>
      kept.read(await this.#ledger(), { ...filter, pipeline: await this.#pipeline() }, options)
    const one = async (id: number, options: Abortable) =>
      (await find({ id, all: true, limit: 1 }, options))[0]
    /** Mostly a page of the list: then one query has them. */
    const these = async (ids: readonly number[], options: Abortable) => {
      const [first, last] = [Math.min(...ids), Math.max(...ids)]
      if (last - first < kept.atOnce) {
        const near = await find({ after: first - 1, all: true, limit: kept.atOnce }, options)
        return near.filter(({ id }) => ids.includes(id))
      }
      const found: Stored[] = []
      for (const id of ids) found.push(...(await find({ id, all: true, limit: 1 }, options)))
      return found
    }
    return {
      list: async (question) => {
        const { loadId, after, state = 'open' } = question
        const all = state !== 'open'
        // The ledger's own filters search without a limit, so the rest is filtered here.
        const matches = (stored: Stored) => {
          const item = kind.item(stored)
          if (all && state !== 'all' && item.state !== state) return false
          return isWanted(item, kind.textOf(stored), question)
        }
        const read = (from: number) =>
          find({ loadId, all, after: from, limit: kept.atOnce }, this.#within(answerMs))
        const { items, next } = await search(read, matches, { after, step: kept.atOnce })
        return { items: items.map(kind.item).map(shortened), next }
      },
      show: async (id) => {
        const stored = await one(id, this.#within(answerMs))
        return stored && kind.answer(stored)
      },
      replay: (ids) =>
        this.#alone(async (signal) => {
          const sink = await this.#sink()
          const models = await this.#models(sink, signal)
          const options = { ...this.#access.replay, sink, models, signal }
          const found = new Map((await these(ids, { signal })).map((stored) => [stored.id, stored]))
          const results = await kind.replay([...found.values()], options)
          return [...new Set(ids)].map((id) => {
            const stored = found.get(id)
            return stored === undefined ? gone(id) : outcomeOf(id, results.get(stored))
          })
        }),
      file: async (id) => {
        const stored = await one(id, this.#within(answerMs))
        return stored && { name: kind.nameOf(stored), bytes: kind.textOf(stored) }
      },
      discard: (ids) =>
        this.#alone(async (signal) => {
          const ledger = await this.#ledger()
          return eachOf(ids, async (id) => {
            if ((await kept.discard(ledger, [id], { signal })) === 0) return gone(id)
            return { id, outcome: 'discarded', detail: 'it still counts as not loaded' }
          })
        }),
    }
  }

  /** A model may mask what was corrected, so without the right one nothing is stored. */
  #edit(id: number, version: string, correction: Correction): Promise<KeptAnswer | undefined> {
    return this.#alone(async (signal) => {
      const sink = await this.#sink()
      const filter = { id, all: true, limit: 1, pipeline: await this.#pipeline() }
      const find = async () => (await sink.ledger.rejects(filter, { signal }))[0]
      const found = await find()
      if (found === undefined) return undefined
      const { reject, record } = corrected(found, version, correction)
      const { pipeline } = reject
      const models = await this.#models(sink, signal)
      const model = await models.modelOf({ pipeline, layout: layoutOf(reject) })
      if (model === undefined) throw new LadingError('WRONG_PIPELINE', withoutModel)
      if (!(await editReject(reject, record, { sink, model, signal })))
        // v8 ignore next -- only if it is replayed elsewhere at the same time
        throw new LadingError('NOT_FOUND', `reject ${id} is no longer open`)
      const edited = await find()
      return edited && rejectAnswer(edited)
    })
  }

  /** To prepare a model fails for a table whose indexes a running load has deferred. */
  async #models(sink: Sink, signal: AbortSignal): Promise<KeptModels> {
    const { pipeline } = this.#access.replay
    return new KeptModels(sink, { ...(await this.#access.loadModels()), pipeline, signal })
  }

  /** Serializes the changes of all clients. */
  #alone<T>(change: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(() => change(this.#within(changeMs).signal))
    this.#lastChange = turn.catch(() => undefined)
    return turn
  }

  /** A query ends with the run, so that it never delays the run's end. */
  #within(ms: number): { readonly signal: AbortSignal } {
    return { signal: AbortSignal.any([AbortSignal.timeout(ms), this.#closed.signal]) }
  }

  /** All of them, where neither a pipeline nor a model is given. */
  async #pipeline(): Promise<string | undefined> {
    if (this.#access.ofAll === true) return undefined
    const { model } = await this.#access.loadModels()
    return this.#access.replay.pipeline ?? (model && tableName(model))
  }

  async #ledger(): Promise<Ledger> {
    return (await this.#sink()).ledger
  }

  #sink(): Promise<Sink> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #open(): Promise<Sink> {
    const sink = await this.#access.openSink()
    try {
      await sink.prepare(undefined, this.#within(answerMs))
      return sink
    } catch (error) {
      await sink[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort()
    await this.#lastChange
    const sink = await this.#opening?.catch(() => undefined)
    await sink?.[Symbol.asyncDispose]()
  }
}

function isWanted(item: KeptItem, text: Uint8Array, { code, column, search: words }: Question): boolean {
  if (code !== undefined && item.code !== code) return false
  if (column !== undefined && item.column !== column) return false
  if (words === undefined) return true
  const needle = words.toLowerCase()
  return (
    `${item.place}\n${item.detail}`.toLowerCase().includes(needle) ||
    asBuffer(text).toString('utf8').toLowerCase().includes(needle)
  )
}

const shortened = (item: KeptItem): KeptItem => ({ ...item, detail: item.detail.slice(0, mostDetail) })

function rejectName(reject: StoredReject): string {
  const layout = layoutOf(reject)
  return `reject-${reject.id}${(layout && formatOf(layout)?.record.suffix(layout)) ?? '.txt'}`
}
