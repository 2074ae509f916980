/** Where files lie that a URL names. A store is an adapter's folder, and the registry finds it by the scheme. */
import type { Found, Looked } from './found.ts'
import type { Held } from './held.ts'
import type { RemoteFile } from './remote-file.ts'
import type { Source } from './source.ts'

/** An object as an event of its store names it. */
export interface NamedObject {
  readonly bucket: string
  readonly key: string
  /** In a bucket with versions: the one that came into being. */
  readonly version?: string | undefined
  /** Identifies its bytes, as far as the event says it. */
  readonly etag?: string | undefined
  /** In bytes. */
  readonly size?: number | undefined
}

export interface Store {
  /** Of its URLs, in lower case. */
  readonly schemes: readonly string[]
  /** Packages of its driver that do not come with Lading. */
  readonly packages?: readonly string[]
  /** The file at a URL, without asking for it; `seen`: what a listing said of it; `held`: what was read of others. */
  source(url: string, name: string, seen?: string, held?: Held): Source
  /** The files that a URL names: one, those of a folder, those that match a pattern. */
  files(url: string, looked: Looked): AsyncIterable<readonly Found[]>
  /** The file at a URL. */
  file(url: string): RemoteFile
  /**
   * The file at a path below the URL of a folder. The path comes from a message and leads downwards by its form;
   * nothing in it may lead to another store, or say how the store is reached.
   */
  fileBelow(root: string, path: string): RemoteFile
}
