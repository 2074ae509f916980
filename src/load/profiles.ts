/** Every record of the sources of a load is looked at, by as many threads as there are cores where that pays. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { Profile, type ProfileFacts } from '../infer/profile/profile.ts'
import { profileSource } from '../infer/records.ts'
import type { Answer, Job } from './profile-thread.ts'
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

/** Threads beside this one. They start while something else is done, and end when this is disposed of. */
export class ProfileThreads implements AsyncDisposable {
  readonly partBytes: number
  readonly others: readonly ProfileThread[]

  private constructor(partBytes: number, others: number) {
    this.partBytes = partBytes
    this.others = Array.from({ length: others }, () => new ProfileThread())
  }

  /** As many as pay for these sources; it may be none. */
  static async for(sources: readonly Source[], limits: ThreadLimits = usualLimits): Promise<ProfileThreads> {
    const { most, leastBytes, partBytes } = limits
    const files = (await withSizes(sources.map((source) => ({ source })))).filter(isShared)
    const isWorth = files.reduce((sum, { size }) => sum + size, 0) >= leastBytes
    return new ProfileThreads(partBytes, isWorth ? Math.min(most, partsOf(files, partBytes).length) - 1 : 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thread of this.others) await thread[Symbol.asyncDispose]()
  }
}

/** The profile of all sources, the same however many threads look at them. */
export async function profileOf(
  heads: readonly Head[],
  options: ProfileAllOptions,
  { partBytes, others }: ProfileThreads,
): Promise<Profile> {
  const sized = await withSizes(heads)
  const files = sized.filter(isShared)
  const profile = new Profile()
  const here: Look = (part) => profileHere(part, options)
  const looks = [
    here,
    ...others.map(
      (thread): Look =>
        (part) =>
          thread.profile(part, options),
    ),
  ]
  await lookAtAll(profile, partsOf(files, partBytes), looks)
  for (const head of sized.slice(files.length)) profile.join(await here([head]))
  return profile
}

type Sized<Item> = Item & { readonly size: number }
type HasSource = Pick<Head, 'source'>

/** Looks at some sources that follow each other. */
type Look = (part: readonly Sized<Head>[]) => Promise<ProfileFacts>

async function withSizes<Item extends HasSource>(items: readonly Item[]): Promise<readonly Sized<Item>[]> {
  const sized = []
  for (const item of items) sized.push({ ...item, size: await item.source.size() })
  return sized
}

/** The copy of standard input is known to this thread alone. It is the last source. */
const isShared = ({ source }: HasSource): boolean => !source.isTransient

/** Small files are looked at together. */
function partsOf<Item>(items: readonly Sized<Item>[], partBytes: number): readonly Sized<Item>[][] {
  const parts: Sized<Item>[][] = []
  let bytes = partBytes
  for (const item of items) {
    if (bytes >= partBytes) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(item)
    bytes += item.size
  }
  return parts
}

/**
 * Each thread takes the next part when it has done one. What they find is joined in the order of the parts, and
 * of several errors that of the first part is thrown, as one thread would.
 */
async function lookAtAll(
  profile: Profile,
  parts: readonly Sized<Head>[][],
  looks: readonly Look[],
): Promise<void> {
  const found = new Map<number, ProfileFacts>()
  const failures = new Map<number, unknown>()
  let next = 0
  let joined = 0
  const work = async (look: Look) => {
    while (next < parts.length && failures.size === 0) {
      const part = next++
      try {
        found.set(part, await look(parts[part] as Sized<Head>[]))
      } catch (error) {
        failures.set(part, error)
      }
      for (let facts = found.get(joined); facts !== undefined; facts = found.get(++joined)) {
        profile.join(facts)
        found.delete(joined)
      }
    }
  }
  await Promise.all(looks.map(work))
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()))
}

async function profileHere(part: readonly Sized<Head>[], options: ProfileAllOptions): Promise<ProfileFacts> {
  const { signal, onEvent = ignoreEvents } = options
  const profile = new Profile()
  for (const { source, reading, size } of part) {
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
