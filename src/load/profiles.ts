/** Every record of the sources of a load is looked at, by as many threads as there are cores where that pays. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { Profile, type ProfileFacts } from '../infer/profile/profile.ts'
import { profileSource } from '../infer/records.ts'
import type { Answer, Job } from './profile-thread.ts'
import { Ahead } from '../source/ahead.ts'
import type { Source } from '../source/source.ts'
import { dressed, type Head, heardStop } from './readings.ts'

export interface ProfileAllOptions extends Abortable {
  readonly onEvent?: Listener | undefined
}

export interface ThreadLimits {
  /** This one included. */
  readonly most: number
  /** Stored bytes of all sources from which on several pay: one starts in about 100 ms. */
  readonly leastBytes: number
  /** Stored bytes of the sources that one takes at a time. */
  readonly partBytes: number
}

const usualLimits: ThreadLimits = {
  most: availableParallelism(),
  leastBytes: 32 * 1024 * 1024,
  partBytes: 4 * 1024 * 1024,
}

/**
 * The profile of some sources, the same however many threads look at them. The others begin with the sources whose
 * heads are known while this one still looks at heads; they end when this is disposed of.
 */
export class Profiling implements AsyncDisposable {
  readonly #options: ProfileAllOptions
  readonly #profile = new Profile()
  readonly #parts: readonly Part[]
  readonly #threads: readonly ProfileThread[]
  readonly #works: readonly Promise<void>[]
  readonly #heads: Sized<Head>[] = []
  readonly #found = new Map<number, ProfileFacts>()
  readonly #failures = new Map<number, unknown>()
  /** Of the parts, in their order: those whose heads are known, those that were begun, and those that are in the profile. */
  #ready = 0
  #begun = 0
  #joined = 0

  private constructor(parts: readonly Part[], others: number, options: ProfileAllOptions) {
    this.#options = options
    this.#parts = parts
    this.#threads = Array.from({ length: others }, () => new ProfileThread())
    this.#works = this.#threads.map((thread) => this.#work((part) => thread.profile(part, options)))
  }

  /** With as many threads as pay for these sources; it may be this one alone. */
  static async of(
    sources: readonly Source[],
    options: ProfileAllOptions,
    { most, leastBytes, partBytes }: ThreadLimits = usualLimits,
  ): Promise<Profiling> {
    const sizes = []
    for (const source of sources.slice(0, firstOwn(sources))) sizes.push(await source.size())
    const parts = partsOf(sizes, partBytes)
    const isWorth = sizes.reduce((sum, size) => sum + size, 0) >= leastBytes
    return new Profiling(parts, isWorth ? Math.min(most, parts.length) - 1 : 0, options)
  }

  /** Heads come in the order of their sources. */
  async add(head: Head): Promise<void> {
    this.#heads.push({ ...head, size: await head.source.size() })
    const part = this.#parts[this.#ready]
    if (this.#heads.length !== part?.end) return
    part.isReady.resolve()
    this.#ready++
  }

  /** Once all heads are known, this thread looks at records, too. */
  async end(): Promise<Profile> {
    const here: Look = (part) => profileHere(part, this.#options)
    await Promise.all([...this.#works, this.#work(here)])
    if (this.#failures.size > 0) throw this.#failures.get(Math.min(...this.#failures.keys()))
    for (const head of this.#heads.slice(this.#parts.at(-1)?.end ?? 0)) this.#profile.join(await here([head]))
    return this.#profile
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thread of this.#threads) await thread[Symbol.asyncDispose]()
  }

  /**
   * Takes the next part when it has done one. What is found is joined in the order of the parts, and of several errors that
   * of the first part is thrown, as one thread would.
   */
  async #work(look: Look): Promise<void> {
    while (this.#begun < this.#parts.length && this.#failures.size === 0) {
      const part = this.#begun++
      const { start, end, isReady } = this.#parts[part] as Part
      await isReady.promise
      try {
        this.#found.set(part, await look(this.#heads.slice(start, end)))
      } catch (error) {
        this.#failures.set(part, error)
      }
      this.#join()
    }
  }

  #join(): void {
    for (;;) {
      const facts = this.#found.get(this.#joined)
      if (facts === undefined) return
      this.#profile.join(facts)
      this.#found.delete(this.#joined++)
    }
  }
}

type Sized<Item> = Item & { readonly size: number }

/** Looks at some sources that follow each other. */
type Look = (part: readonly Sized<Head>[]) => Promise<ProfileFacts>

/** From the first source on that is known to this thread alone, as the copy of standard input is, it looks at all. */
function firstOwn(sources: readonly Source[]): number {
  const first = sources.findIndex(({ isTransient, isPrivate }) => isTransient || isPrivate === true)
  return first < 0 ? sources.length : first
}

/** Of the sources, those that are looked at together. */
interface Part {
  readonly start: number
  readonly end: number
  /** Resolves with the last of their heads. */
  readonly isReady: PromiseWithResolvers<void>
}

/** Small files are looked at together. */
function partsOf(sizes: readonly number[], partBytes: number): readonly Part[] {
  const parts: Part[] = []
  let start = 0
  let bytes = 0
  for (const [index, size] of sizes.entries()) {
    bytes += size
    const end = index + 1
    if (bytes < partBytes && end < sizes.length) continue
    parts.push({ start, end, isReady: Promise.withResolvers() })
    start = end
    bytes = 0
  }
  return parts
}

async function profileHere(part: readonly Sized<Head>[], options: ProfileAllOptions): Promise<ProfileFacts> {
  const { signal, onEvent = ignoreEvents } = options
  const profile = new Profile()
  using ahead = new Ahead({ size: part.length, at: (index) => (part[index] as Head).source })
  for (const [index, { reading, size }] of part.entries()) {
    const source = await ahead.at(index)
    const onRead = (bytes: number) => onEvent({ type: 'planning', source: source.name, bytes, size })
    await heardStop(source, options)
    await profileSource(profile, await dressed(source, reading), reading, { signal, onRead })
  }
  return profile.facts
}

const entry = import.meta.url.endsWith('.ts') ? './profile-thread.ts' : './profile-thread.js'

class ProfileThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL(entry, import.meta.url))
  /** The source that it reads. */
  #path: string | undefined
  /** Rejects when the thread ends. */
  readonly #ended = new Promise<never>((_, reject) => {
    this.#worker.once('error', reject)
    this.#worker.once('exit', () =>
      reject(new LadingError('INTERNAL', `the thread that reads ${this.#path ?? 'files'} ended`)),
    )
  })

  constructor() {
    // It may end before it has anything to do.
    this.#ended.catch(() => undefined)
  }

  /** Of one part at a time. */
  async profile(part: readonly Sized<Head>[], options: ProfileAllOptions): Promise<ProfileFacts> {
    const { signal, onEvent = ignoreEvents } = options
    const over = new AbortController()
    const once = { signal: over.signal, once: true }
    this.#path = part[0]?.source.path
    const answered = new Promise<ProfileFacts>((resolve, reject) => {
      const stop = () => reject(new LadingError('ABORTED', `stopped while reading ${this.#path}`))
      // v8 ignore next -- a stop between two steps
      if (signal?.aborted) return stop()
      signal?.addEventListener('abort', stop, once)
      this.#worker.removeAllListeners('message')
      this.#worker.on('message', (answer: Answer) => {
        if (answer.kind === 'profiled') return resolve(answer.facts)
        if (answer.kind === 'failed') return reject(new LadingError(answer.code, answer.message))
        const { source, size } = part[answer.at] as Sized<Head>
        this.#path = source.path
        return onEvent({ type: 'planning', source: source.name, bytes: answer.bytes, size })
      })
      const job: Job = part.map(({ source, reading }) => ({ path: source.path, name: source.name, reading }))
      return this.#worker.postMessage(job, [])
    })
    try {
      return await Promise.race([answered, this.#ended])
    } finally {
      over.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
