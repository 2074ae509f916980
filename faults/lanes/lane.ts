/** A queue, a database and their servers, which belong to this run alone. */
import { type Faults, type Proxy, startProxy } from '../../test/support/proxy.ts'
import type { TestServer } from '../../tooling/servers/server.ts'
import type { Row } from '../oracle.ts'

/** Where something is, for the processes of Lading and for the conductor, who is not disturbed. */
export interface Urls {
  readonly url: string
  readonly direct: string
}

/** Faults of the network that may be changed while it is used. */
export type Wire = { -readonly [Name in keyof Faults]: Faults[Name] }

/** The server of a queue or of a database, and what can be done to it; all is absent where there is no server. */
export interface Part extends AsyncDisposable {
  readonly name: string
  /** Its files lie on the small disk, if there is one. */
  readonly hasFiles?: true
  /** Keeps what it confirmed, however it ends. */
  readonly server?: TestServer
  readonly proxy?: Proxy
  readonly wire?: Wire
  /** Has the server end the sessions of its clients. */
  endSessions?(): Promise<void>
  /** Ids of the processes, on this machine, that serve the clients. */
  backends?(): Promise<readonly number[]>
}

export interface LaneQueue extends Part {
  /** Messages of one group take effect in their order. */
  readonly isOrdered?: true
  /** A new queue, for one round; `database` is that of the round. */
  fresh(round: number, database: Urls): Promise<Urls>
  /** Messages that it has delivered and that nobody has settled, where their number is not in its depth. */
  inFlight?(): Promise<number>
  /** The service does to its clients what it may do; `seed` says when. */
  misbehave?(seed: number): () => void
  readonly env?: NodeJS.ProcessEnv
}

export interface LaneDatabase extends Part {
  /** No second process may open it. */
  readonly hasOneWriter?: true
  readonly defersIndexes?: true
  /** A new database, for one round. */
  fresh(round: number): Promise<Urls>
  rows(url: string): Promise<readonly Row[]>
  /** Locks the table against everybody; resolves with what gives the lock back. */
  lock?(url: string): Promise<() => Promise<void>>
}

export interface Lane extends AsyncDisposable {
  readonly name: string
  readonly queue: LaneQueue
  readonly database: LaneDatabase
  /** For the files of the rounds. */
  readonly folder: string
  /** A small file system on which the files of queue and database lie; or why there is none. */
  readonly disk: Disk | { readonly reason: string }
  /** Sets the clock of the processes; or why it cannot. */
  readonly clock: Clock | { readonly reason: string }
}

export interface Disk {
  readonly folder: string
  /** Takes all space that is left. */
  fill(): void
  free(): void
}

export interface Clock {
  readonly env: NodeJS.ProcessEnv
  /** From now on it differs from the machine's by so many seconds. */
  step(seconds: number): void
}

/** Before everything else that uses the server. */
export async function throughProxy(url: string): Promise<{ readonly proxy: Proxy; readonly wire: Wire }> {
  const wire: Wire = {}
  return { proxy: await startProxy(url, wire), wire }
}

/** `url` with host and port of the proxy. */
export function via(proxy: Proxy, url: string): string {
  const through = new URL(url)
  through.port = new URL(proxy.url).port
  return through.href
}
