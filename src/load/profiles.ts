/** Every record of the sources of a load is looked at, by as many threads as there are cores where that pays. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import type { Abortable } from '../core/wait.ts'
import { Profile, type ProfileFacts } from '../infer/profile/profile.ts'
import { profileSource } from '../infer/records.ts'
import type { Answer, Job } from './profile-thread.ts'
import { dressed, type Head, heardStop } from './readings.ts'

export interface ProfileAllOptions extends Abortable {
  readonly onEvent?: Listener | undefined
}

export interface Threads {
  readonly most: number
  /** Stored bytes of all sources from which on they pay: one starts in about 100 ms, and reads 32 MiB in 400. */
  readonly leastBytes: number
  /** Stored bytes of the sources that one takes at a time. */
  readonly partBytes: number
}

const usualThreads: Threads = {
  most: availableParallelism(),
  leastBytes: 32 * 1024 * 1024,
  partBytes: 4 * 1024 * 1024,
}

interface Sized extends Head {
  readonly size: number
}

/** The profile of all sources, the same whether or not threads have looked at them. */
export async function profileOf(
  heads: readonly Head[],
  options: ProfileAllOptions,
  { most, leastBytes, partBytes }: Threads = usualThreads,
): Promise<Profile> {
  const sized: Sized[] = []
  for (const head of heads) sized.push({ ...head, size: await head.source.size() })
  // The copy of standard input is known here alone. It is the last source.
  const files = sized.filter(({ source }) => !source.isTransient)
  const parts = partsOf(files, partBytes)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const count = bytes < leastBytes ? 1 : Math.min(most, parts.length)
  const profile = new Profile()
  if (count > 1) await inThreads(profile, parts, count, options)
  const { signal, onEvent = ignoreEvents } = options
  for (const { source, reading, size } of count > 1 ? sized.slice(files.length) : sized) {
    const onRead = (read: number) => onEvent({ type: 'planning', source: source.name, bytes: read, size })
    await heardStop(source, options)
    await profileSource(profile, await dressed(source, reading), reading, { signal, onRead })
  }
  return profile
}

/** Small files are sent together. */
function partsOf(heads: readonly Sized[], partBytes: number): readonly Sized[][] {
  const parts: Sized[][] = []
  let bytes = partBytes
  for (const head of heads) {
    if (bytes >= partBytes) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(head)
    bytes += head.size
  }
  return parts
}

/**
 * Each thread takes the next part when it has done one. What they find is joined in the order of the parts, and
 * of several errors that of the first part is thrown, as one thread would.
 */
async function inThreads(
  profile: Profile,
  parts: readonly Sized[][],
  count: number,
  options: ProfileAllOptions,
): Promise<void> {
  const found = new Map<number, ProfileFacts>()
  const failures = new Map<number, unknown>()
  let next = 0
  let joined = 0
  const work = async () => {
    await using thread = new ProfileThread(options)
    while (next < parts.length && failures.size === 0) {
      const part = next++
      try {
        found.set(part, await thread.profile(parts[part] as Sized[]))
      } catch (error) {
        failures.set(part, error)
      }
      for (let facts = found.get(joined); facts !== undefined; facts = found.get(++joined)) {
        profile.join(facts)
        found.delete(joined)
      }
    }
  }
  await Promise.all(Array.from({ length: count }, work))
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()))
}

const entry = import.meta.url.endsWith('.ts') ? './profile-thread.ts' : './profile-thread.js'

class ProfileThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL(entry, import.meta.url))
  readonly #options: ProfileAllOptions

  constructor(options: ProfileAllOptions) {
    this.#options = options
  }

  /** Of one part at a time. */
  async profile(part: readonly Sized[]): Promise<ProfileFacts> {
    const { signal, onEvent = ignoreEvents } = this.#options
    const over = new AbortController()
    try {
      return await new Promise((resolve, reject) => {
        let path = part[0]?.source.path
        const once = { signal: over.signal, once: true }
        const stop = () => reject(new LadingError('ABORTED', `stopped while reading ${path}`))
        if (signal?.aborted) return stop()
        signal?.addEventListener('abort', stop, once)
        this.#worker.removeAllListeners()
        this.#worker.on('error', reject)
        this.#worker.on('exit', () =>
          reject(new LadingError('INTERNAL', `the thread that reads ${path} ended`)),
        )
        this.#worker.on('message', (answer: Answer) => {
          if (answer.kind === 'profiled') return resolve(answer.facts)
          if (answer.kind === 'failed') return reject(new LadingError(answer.code, answer.message))
          const { source, size } = part[answer.at] as Sized
          path = source.path
          return onEvent({ type: 'planning', source: source.name, bytes: answer.bytes, size })
        })
        const job: Job = part.map(({ source, reading }) => ({
          path: source.path,
          name: source.name,
          reading,
        }))
        return this.#worker.postMessage(job, [])
      })
    } finally {
      over.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
