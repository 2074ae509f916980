/**
 * The page's access to the ledger. It opens its own sink on the first request, so that no batch waits for a
 * person. Every query is bounded in time and memory.
 */
import { asBuffer } from '../core/bytes.ts'
import { type Kept, keptLetters, keptRejects } from '../review/kept.ts'
import type { ReplayOptions } from '../review/letters.ts'
import { KeptModels, type KeptModelsOptions } from '../review/models.ts'
import { replayAnyLetter, type ReplayAnyOptions, replayAnyRejects } from '../review/replay.ts'
import { type Code, codes, toLadingError } from '../core/errors.ts'
import type { Abortable } from '../core/wait.ts'
import { tableName } from '../model/model.ts'
import type { Span } from '../core/fault.ts'
import { balance } from '../sink/receipt.ts'
import type { Ledger, ListFilter, Page, StoredDeadLetter, StoredReject } from '../sink/ledger.ts'
import type { Sink, Verdict } from '../sink/sink.ts'
import type { KeptAnswer, KeptItem, ListAnswer, LoadAnswer, Outcome, Reason } from './answers.ts'
import { type Question, search } from './search.ts'

export interface LedgerAccess {
  openSink(): Promise<Sink>
  /** What is known of the models of loads. */
  loadModels(): Promise<Omit<KeptModelsOptions, 'pipeline' | 'signal'>>
  readonly replay: Omit<ReplayOptions, 'sink' | 'model' | 'signal'>
}

/** Rejects or dead letters: the page handles both alike. */
export interface KeptList {
  list(question: Question): Promise<ListAnswer<KeptItem>>
  show(id: number): Promise<KeptAnswer | undefined>
  replay(ids: readonly number[]): Promise<Outcome[]>
  /** Discarded entries still count as not loaded. */
  discard(ids: readonly number[]): Promise<Outcome[]>
}

/** How rejects and dead letters differ on the page. */
interface Kind<Stored> {
  readonly textOf: (stored: Stored) => Uint8Array
  readonly item: (stored: Stored) => KeptItem
  readonly answer: (stored: Stored) => KeptAnswer
  readonly replay: (stored: Stored, options: ReplayAnyOptions) => Promise<Verdict | undefined>
}

/** Time limits of an answer and of a change to all selected entries, in milliseconds. */
const answerMs = 5_000
const changeMs = 30_000
/** Shortest time between two counts of the reasons, in milliseconds. */
const leastCountMs = 3_000
const mostReceipts = 200
/** Most bytes of a message to show. */
const mostTextBytes = 65_536
const mostDetail = 300

export class WebLedger implements AsyncDisposable {
  readonly #access: LedgerAccess
  #opening: Promise<Sink> | undefined
  #lastChange: Promise<unknown> = Promise.resolve()
  #reasons: readonly Reason[] = []
  #countAgainAt = 0
  readonly #closed = new AbortController()

  constructor(access: LedgerAccess) {
    this.#access = access
  }

  /** The newest first. */
  async receipts(): Promise<LoadAnswer[]> {
    const ledger = await this.#ledger()
    const receipts = await ledger.receipts(
      { pipeline: await this.#pipeline(), limit: mostReceipts },
      this.#within(answerMs),
    )
    return receipts.map((receipt) => ({ ...receipt, ...balance(receipt) }))
  }

  /** Counting millions takes long, so the interval grows with the duration of the last count. */
  async reasons(): Promise<readonly Reason[]> {
    if (performance.now() < this.#countAgainAt) return this.#reasons
    const ledger = await this.#ledger()
    const began = performance.now()
    this.#countAgainAt = began + answerMs
    this.#reasons = await ledger.rejectGroups({ pipeline: await this.#pipeline() }, this.#within(answerMs))
    this.#countAgainAt = performance.now() + Math.max(leastCountMs, 50 * (performance.now() - began))
    return this.#reasons
  }

  readonly rejects = this.#list<StoredReject>(keptRejects, {
    textOf: ({ edited, raw }) => edited ?? raw,
    item: rejectItem,
    answer: rejectAnswer,
    replay: async (reject, options) => (await replayAnyRejects([reject], options))[0],
  })

  readonly letters = this.#list<StoredDeadLetter>(keptLetters, {
    textOf: ({ body }) => body,
    item: letterItem,
    answer: letterAnswer,
    replay: replayAnyLetter,
  })

  #list<Stored extends { readonly id: number }>(kept: Kept<Stored>, kind: Kind<Stored>): KeptList {
    const find = async (filter: ListFilter & Page, options: Abortable) =>
      kept.read(await this.#ledger(), { ...filter, pipeline: await this.#pipeline() }, options)
    const one = async (id: number, options: Abortable) =>
      (await find({ id, all: true, limit: 1 }, options))[0]
    return {
      list: async (question) => {
        const { loadId, after } = question
        // The ledger's own filters search without a limit, so the rest is filtered here.
        const matches = (stored: Stored) => isWanted(kind.item(stored), kind.textOf(stored), question)
        const read = (from: number) =>
          find({ loadId, after: from, limit: kept.atOnce }, this.#within(answerMs))
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
          return eachOf(ids, async (id) => {
            const stored = await one(id, { signal })
            if (stored === undefined) return gone(id)
            return outcomeOf(id, await kind.replay(stored, options))
          })
        }),
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

/** A failure of one entry does not hide the outcomes of the others. */
async function eachOf(ids: readonly number[], change: (id: number) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const id of new Set(ids)) {
    const failed = (thrown: unknown): Outcome => {
      const { code, message } = toLadingError(thrown)
      return { id, outcome: 'refused', detail: `${code}: ${message}` }
    }
    outcomes.push(await change(id).catch(failed))
  }
  return outcomes
}

const gone = (id: number): Outcome => ({ id, outcome: 'gone', detail: 'it no longer exists' })

function outcomeOf(id: number, verdict: Verdict | undefined): Outcome {
  if (verdict === undefined)
    return { id, outcome: 'refused', detail: 'WRONG_PIPELINE: its load had a model of its own' }
  if (verdict.kind === 'refused')
    return { id, outcome: 'refused', detail: `${verdict.code}: ${verdict.detail}` }
  if (verdict.kind === 'duplicate')
    return { id, outcome: 'duplicate', detail: 'it is no longer open, or was already applied' }
  const { loaded, rejected, skipped } = verdict
  return { id, outcome: 'replayed', detail: `loaded ${loaded}, rejected ${rejected}, skipped ${skipped}` }
}

function isWanted(item: KeptItem, text: Uint8Array, { code, column, search: words }: Question): boolean {
  if (code !== undefined && item.code !== code) return false
  if (column !== undefined && item.column !== column) return false
  if (words === undefined) return true
  const needle = words.toLowerCase()
  return (
    `${item.place}\n${item.detail}`.toLowerCase().includes(needle) ||
    textOf(text).toLowerCase().includes(needle)
  )
}

function rejectItem(reject: StoredReject): KeptItem {
  const { id, source, line, loadId, code, column, detail, state, at } = reject
  return { id, place: `${source}:${line}`, loadId, code, column, detail, state, at }
}

const letterItem = ({ id, key, load, code, detail, state, at }: StoredDeadLetter): KeptItem => {
  return { id, place: key, loadId: load?.id, code, detail, state, at }
}

const shortened = (item: KeptItem): KeptItem => ({ ...item, detail: item.detail.slice(0, mostDetail) })

function rejectAnswer(reject: StoredReject): KeptAnswer {
  const { code, record, line, byte, loadId, edited, raw, span } = reject
  const facts: [string, string][] = [
    ['Record', String(record)],
    ['Line', String(line)],
    ['Byte', String(byte)],
    ...(loadId === undefined ? [] : [['Load', loadId] as [string, string]]),
    ...(edited === undefined ? [] : [['Shown', 'the corrected record'] as [string, string]]),
  ]
  return { ...rejectItem(reject), ...wordsOf(code), facts, ...splitText(edited ?? raw, span) }
}

function letterAnswer(letter: StoredDeadLetter): KeptAnswer {
  const facts: [string, string][] = [
    ['Records', String(letter.records)],
    ['Deliveries', String(letter.attempts)],
    ['SHA-256', letter.sha256],
    ...Object.entries(letter.headers).map(([name, value]): [string, string] => [`Header ${name}`, value]),
  ]
  return { ...letterItem(letter), ...wordsOf(letter.code), facts, ...splitText(letter.body, undefined) }
}

/** A code written by a newer version has no texts here. */
function wordsOf(code: Code): { meaning: string; advice: string } {
  const { meaning, advice } = (codes as Partial<typeof codes>)[code] ?? { meaning: '', advice: '' }
  return { meaning, advice }
}

function splitText(bytes: Uint8Array, span: Span | undefined) {
  const kept = bytes.subarray(0, mostTextBytes)
  const cut = bytes.length - kept.length
  if (span === undefined) return { text: { before: textOf(kept), after: '' }, cut }
  const [before, fault, after] = [
    kept.subarray(0, span.start),
    kept.subarray(span.start, span.end),
    kept.subarray(span.end),
  ].map(textOf)
  return { text: { before: before ?? '', fault: fault ?? '', after: after ?? '' }, cut }
}

const textOf = (bytes: Uint8Array): string => asBuffer(bytes).toString('utf8')
