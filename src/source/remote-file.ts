/** A file on a server, as its store reaches it: one attempt at a time, and what patience makes of attempts. */
import { ignoreEvents } from '../core/events.ts'
import { LadingError } from '../core/errors.ts'
import { Attempts, retrying, type RetryPolicy } from '../core/retry.ts'
import type { Abortable } from '../core/wait.ts'

/** What a server says of a file. */
export interface Facts {
  /** Another text means another content. */
  readonly state: string
  readonly size: number
  /** Whether it can be read from any byte on. */
  readonly hasRanges: boolean
}

export interface Part {
  /** As many as were asked for, fewer at the end of the file and where the connection breaks off behind the first of them. */
  readonly bytes: Buffer
  readonly facts: Facts
}

export interface Asked extends Abortable {
  readonly at: number
  readonly bytes: number
  /** In no other state than this one. */
  readonly state?: string | undefined
}

/** One attempt each; throws `SOURCE_UNAVAILABLE` for what passes. */
export interface RemoteFile {
  /** Its URL without secrets, by which it is found again. */
  readonly url: string
  /** Whether secrets that the URL does not show open it, which no other thread, run or machine knows. */
  readonly isPrivate?: boolean
  /**
   * The path from a folder, which is the URL of one; undefined where the file lies elsewhere, and no path
   * downwards where a message cannot name it.
   */
  pathBelow(root: string): string | undefined
  facts(): Promise<Facts>
  read(asked: Asked): Promise<Part>
  /** All bytes in their order, of a file without ranges. */
  stream?(state: string): AsyncGenerator<Buffer>
}

const patience: RetryPolicy = { attempts: 8, firstMs: 200, mostMs: 10_000 }
const mostAskedMs = 60_000

/** Attempts at one thing, which is told nobody. */
export const patientAttempts = (): Attempts => new Attempts({ policy: patience, onEvent: ignoreEvents })

export const patiently = <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  retrying(work, { policy: patience, signal, onEvent: ignoreEvents })

/** What is asked for, to its end: what a connection has brought before it broke off is not read again. */
export async function readOn(
  file: RemoteFile,
  asked: Asked,
  attempting: (work: () => Promise<Part>) => Promise<Part> = (work) => work(),
): Promise<Part> {
  const read = (part: Asked) => attempting(() => file.read(part))
  const { facts, bytes } = await read(asked)
  const wanted = facts.hasRanges ? Math.min(asked.bytes, facts.size - asked.at) : 0
  if (bytes.length >= wanted) return { facts, bytes }
  const pieces = [bytes]
  for (let size = bytes.length; size < wanted;) {
    const rest = await read({ ...asked, at: asked.at + size, bytes: wanted - size, state: facts.state })
    if (rest.bytes.length === 0)
      throw new LadingError('SOURCE_UNAVAILABLE', `${file.url}: no byte came from ${asked.at + size} on`)
    size += rest.bytes.length
    pieces.push(rest.bytes)
  }
  return { facts, bytes: Buffer.concat(pieces) }
}

/** What `Retry-After` of HTTP says, in seconds or as a time; nobody is waited for longer than a minute. */
export function askedToWait(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return ms > 0 ? Math.min(ms, mostAskedMs) : undefined
}

export const sourceChanged = (url: string): LadingError =>
  new LadingError('SOURCE_CHANGED', `${url} changed while it was read, or since it was listed`)
