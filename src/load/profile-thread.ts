/** A thread that profiles some of the sources of a load. */
import { parentPort } from 'node:worker_threads'
import { type Code, LadingError } from '../core/errors.ts'
import type { Reading } from '../format/reading.ts'
import { Profile, type ProfileFacts } from '../infer/profile/profile.ts'
import { profileSource } from '../infer/records.ts'
import { Ahead } from '../source/ahead.ts'
import { sourceAt } from '../source/registry.ts'
import { dressed } from './readings.ts'

/** Sources that follow each other. */
export type Job = readonly {
  readonly path: string
  readonly name: string
  readonly reading: Reading
}[]

export type Answer =
  /** Plain bytes of a source of the job that were read so far. */
  | { readonly kind: 'read'; readonly at: number; readonly bytes: number }
  | { readonly kind: 'profiled'; readonly facts: ProfileFacts }
  | { readonly kind: 'failed'; readonly code: Code; readonly message: string }

const send = (answer: Answer): void => parentPort?.postMessage(answer, [])

async function profile(job: Job): Promise<Answer> {
  const found = new Profile()
  try {
    const sourceOf = ({ path, name }: Job[number]) => sourceAt(path, name)
    using ahead = new Ahead({ size: job.length, at: (index) => sourceOf(job[index] as Job[number]) })
    for (const [at, { reading }] of job.entries()) {
      const onRead = (bytes: number) => send({ kind: 'read', at, bytes })
      await profileSource(found, await dressed(await ahead.at(at), reading), reading, { onRead })
    }
    return { kind: 'profiled', facts: found.facts }
  } catch (error) {
    // Any other ends the thread, which hands it on.
    // v8 ignore next -- a fault of ours
    if (!(error instanceof LadingError)) throw error
    return { kind: 'failed', code: error.code, message: error.message }
  }
}

parentPort?.on('message', async (job: Job) => send(await profile(job)))
