/** One table that is filled from beginning to end while the conductor disturbs whoever fills it. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { balance, openQueue, openSink, type Depth, rejectPages, type Sink } from '../src/index.ts'
import { randomFrom } from '../test/support/restarted-process.ts'
import { Content, lastPath, type Plan } from './content.ts'
import type { Lane, Urls } from './lanes/lane.ts'
import { type Found, type FoundReject, judge, type Verdict } from './oracle.ts'
import type { Assignment, Said } from './processes/assignment.ts'
import { type Role, Worker } from './worker.ts'

const consumerCount = 2
const filesAhead = 2
/** Between small files: processes that are waited for need not be busy. */
const pauseMs = 200
/** Of a load that builds its indexes at the end. */
const filesOfLoad = 8
/** Longer than anything that Lading promises to wait for. */
const patienceMs = 240_000
/** Some of what is waited for is asked of a server. */
const pollMs = 50

export class Round implements AsyncDisposable {
  readonly target: Urls
  readonly #lane: Lane
  readonly #queue: Urls
  readonly #folder: string
  readonly #content: Content
  readonly #hasPauses: boolean
  readonly #workers: Worker[] = []
  readonly counts = { redelivered: 0, duplicates: 0, dead: 0 }
  readonly #signal: AbortSignal | undefined
  #sent = 0
  #isLast = false
  /** When its rejects were last looked through and none could be corrected. */
  #mendedAt = 0

  private constructor(
    lane: Lane,
    urls: { target: Urls; queue: Urls; folder: string },
    content: Content,
    hasPauses: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#lane = lane
    this.target = urls.target
    this.#queue = urls.queue
    this.#folder = urls.folder
    this.#content = content
    this.#hasPauses = hasPauses
    this.#signal = signal
  }

  static async start(
    lane: Lane,
    number: number,
    plan: Plan,
    {
      seed,
      signal,
      isQuick = false,
    }: { seed: number; signal: AbortSignal | undefined; isQuick?: boolean | undefined },
  ): Promise<Round> {
    const folder = join(lane.folder, `round-${number}`)
    await mkdir(folder)
    const target = await lane.database.fresh(number)
    const queue = await lane.queue.fresh(number, target)
    // One load of it all would be over before it is struck.
    const hasPauses = isQuick && !plan.isDeferred
    const round = new Round(
      lane,
      { target, queue, folder },
      new Content(plan, folder, randomFrom(seed), hasPauses),
      hasPauses,
      signal,
    )
    await round.#start(plan)
    return round
  }

  async #start(plan: Plan): Promise<void> {
    const assignment: Assignment = {
      ...plan,
      queue: this.#queue.url,
      target: this.target.url,
      folder: this.#folder,
    }
    const path = join(this.#folder, 'assignment')
    await writeFile(path, JSON.stringify(assignment))
    for (let file = 0; file < (plan.isDeferred ? filesOfLoad : filesAhead); file++)
      await this.#content.write()
    if (plan.isDeferred) await this.finish()
    const { clock, queue, database } = this.#lane
    const env = { ...queue.env, ...('reason' in clock ? {} : clock.env) }
    const add = (role: Role, count: number) => {
      for (let each = 0; each < count; each++)
        this.#workers.push(
          new Worker(role, [path, join(this.#folder, `state-${each}.db`)], env, (said) => this.#hear(said)),
        )
    }
    if (plan.isDeferred) return add('loader', 1)
    add('consumer', database.hasOneWriter === true ? 1 : consumerCount)
    add('producer', plan.producers)
    if (plan.replays) add('replayer', 1)
  }

  #hear(said: Said): void {
    if (said.type === 'batch') {
      this.counts.redelivered += said.redelivered
      this.counts.duplicates += said.duplicates
    } else if (said.type === 'dead') this.counts.dead++
    else if (said.type === 'working') {
      if (said.mendable === 0) this.#mendedAt = performance.now()
      if (said.file !== undefined) this.#sentFile(said.file)
    }
  }

  #sentFile(file: number): void {
    if (file < this.#sent) return
    this.#sent = file + 1
    if (!this.#isLast && this.#content.files < this.#sent + filesAhead)
      this.#writing = this.#writing.then(() => this.#writeNext())
  }
  async #writeNext(): Promise<void> {
    if (this.#hasPauses) await sleep(pauseMs)
    await this.#content.write()
  }
  /** One file after the other. */
  #writing: Promise<void> = Promise.resolve()

  /** Processes that have come to their work, of the role or all. */
  atWork(role?: Role): readonly Worker[] {
    return this.#workers.filter(
      (worker) =>
        worker.isAtWork &&
        (role === undefined || worker.role === role || (worker.role === 'loader' && role !== 'replayer')),
    )
  }

  /** Nothing is left to disturb. */
  get isOver(): boolean {
    return this.#workers.every(({ isOver }) => isOver)
  }

  /** Resolves when everybody who was hit has done some work since. */
  async recovered(victims: readonly Worker[] | undefined, since: number): Promise<void> {
    const hit = victims ?? this.#workers.filter(({ role }) => role === 'consumer' || role === 'loader')
    await this.#until('at work again', () => hit.every(({ lastWork, isOver }) => isOver || lastWork > since))
  }

  /** No more files come than there are. */
  async finish(): Promise<void> {
    this.#isLast = true
    await this.#writing
    await writeFile(lastPath(this.#folder), '')
  }

  /** Waits for quiet, ends the processes in order, and compares. */
  async end(): Promise<Verdict> {
    const those = (...roles: readonly Role[]) => this.#workers.filter(({ role }) => roles.includes(role))
    await this.#until('all sent', () => those('producer', 'loader').every(({ isOver }) => isOver))
    await using queue = await openQueue(this.#queue.direct)
    const isEmpty = async () => allOf(await queue.depth()) === 0
    await this.#until('quiet', async () => {
      if (!this.#workers.every(({ held }) => held === 0) || !(await isEmpty())) return false
      // What a broker requeues, after a connection that it has lost, is ready again before it is looked for there.
      const held = (await this.#lane.queue.inFlight?.()) ?? 0
      return held === 0 && (await isEmpty())
    })
    const since = performance.now()
    if (this.#content.plan.replays) await this.#until('all rejects replayed', () => this.#mendedAt > since)
    for (const worker of those('consumer', 'replayer')) worker.stop('SIGTERM')
    await this.#until('ended', () => this.isOver)
    await using sink = await openSink(this.target.direct)
    const rows = await this.#lane.database.rows(this.target.direct)
    return judge(this.#content.input, { rows, left: allOf(await queue.depth()), ...(await foundIn(sink)) })
  }

  async #until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      for (const { failure, role } of this.#workers)
        if (failure !== undefined) throw new Error(`a ${role} failed: ${failure}`)
      this.#signal?.throwIfAborted()
      if (await isSo()) return
      if (performance.now() > deadline)
        throw new Error(`not ${what} within ${patienceMs / 1000} s${this.#waiting()}`)
      await sleep(pollMs)
    }
  }

  #waiting(): string {
    return this.#workers
      .map(
        ({ role, waitsFor, isOver }) =>
          `; a ${role} ${isOver ? 'is over' : (waitsFor ?? 'waits for nothing')}`,
      )
      .join('')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.stop('SIGKILL')
    await Promise.all(this.#workers.map(({ ended }) => ended))
    await rm(this.#folder, { recursive: true })
  }
}

const allOf = ({ ready, inFlight = 0, dead }: Depth): number => ready + inFlight + dead

async function foundIn(sink: Sink): Promise<Omit<Found, 'rows' | 'left'>> {
  const rejects: FoundReject[] = []
  for await (const page of rejectPages(sink.ledger, { all: true }))
    for (const { loadId, source, line, key, record, code, state } of page) {
      const place =
        loadId === undefined ? `${key.replace(/^message:/, '')}:${record}` : `${basename(source)}:${line}`
      rejects.push({ place, code, state })
    }
  const receipts = (await sink.ledger.receipts({})).map((receipt) => ({
    ...receipt,
    source: basename(receipt.source),
    problems: balance(receipt).problems,
  }))
  const { deadLetters } = await sink.ledger.messages({})
  const dead = receipts.reduce((sum, receipt) => sum + receipt.deadLetters, deadLetters)
  return { rejects, receipts, deadLetters: dead }
}
