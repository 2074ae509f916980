/** What a process of a round is told, in a file that the first argument names; it says what it does on standard output. */
import { readFileSync } from 'node:fs'
import { defineModel, integer, type LadingEvent, text } from 'lading'
import { patiently as patientlyUntil } from '../../test/support/processes/patiently.ts'
import type { Plan } from '../content.ts'

export interface Assignment extends Plan {
  readonly queue: string
  readonly target: string
  /** Of the files. */
  readonly folder: string
}

export const assignment = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Assignment

const key = { primaryKey: ['family', 'n'] } as const
const policies = {
  none: {},
  error: key,
  skip: { ...key, onConflict: 'skip' },
  version: { ...key, onConflict: 'update', version: 'version' },
  last: { ...key, onConflict: 'update' },
} as const

export const model = defineModel({
  table: 'entries',
  columns: {
    family: text().notNull(),
    n: integer().notNull(),
    version: integer().notNull(),
    note: text().notNull(),
  },
  ...policies[assignment.policy],
})

/** Small, so that a fault finds them at every point. Whoever starts while a server is away waits for it: nobody starts them again. */
export const sizes = {
  prefetch: 16,
  batch: { bytes: 64 * 1024, messages: 4 },
  startTimeoutMs: 600_000,
}
export const chunkBytes = 2 * 1024

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
export const stopping: AbortSignal = stop.signal

// Nobody ends it any more when the conductor is gone.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, 1_000).unref()

/** `working` is what a process says besides events, for what is none. */
export type Said =
  | LadingEvent
  | { readonly type: 'working'; readonly file?: number; readonly mendable?: number }
export const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)

/** Tries again until the process is stopped. */
export const patiently = <Result>(attempt: () => Promise<Result>): Promise<Result> =>
  patientlyUntil(attempt, stopping)
