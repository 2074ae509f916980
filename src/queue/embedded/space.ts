/**
 * Room on the disk of a queue's file. Consumers have to write before they can free anything: a lease, a
 * settlement, each first into SQLite's log. So producers leave a reserve alone, and count what the log still
 * has to move into the file.
 */
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { LadingError } from '../../core/errors.ts'
import type { SqliteFile } from '../../core/sqlite.ts'

const mib = 1024 * 1024
/**
 * Kept for consumers: a quarter of the disk, within these bounds. The least is twice what a claim of 4,000
 * small messages writes.
 */
const leastReserve = 2 * mib
const mostReserve = 32 * mib
/**
 * With so much free, nothing more is asked: more than a log ever holds, unless a reader has stood still for
 * long.
 */
const plenty = 1024 * mib
/** Pages of trees and lists that change besides those of the messages. */
const otherPages = 12
/**
 * What a message takes beside its body and headers, and what pages of trees take beside those of data, as a
 * share.
 */
const rowBytes = 200
const treeShare = 1.02
/** The tables, the index of the log, and what the file system itself takes. */
const emptyBytes = mib / 4

export interface Weighed {
  readonly body: Uint8Array
  readonly headers: string
}

export class Space {
  readonly #path: string
  readonly #file: SqliteFile
  readonly #pageBytes: number
  /** The largest body that ever finds room on this disk. */
  readonly maxBytes: number

  /** Throws `QUEUE_REFUSED` where the disk is too small for any queue. */
  constructor(path: string, file: SqliteFile) {
    this.#path = path
    this.#file = file
    this.#pageBytes = file.get<{ page_size: number }>('PRAGMA page_size')?.page_size as number
    const { total } = this.#disk()
    const once = (total - reserveOf(total) - emptyBytes) / 2
    this.maxBytes = Math.floor((once - (otherPages + 1) * this.#pageBytes) / treeShare) - rowBytes
    if (this.maxBytes < this.#pageBytes)
      throw new LadingError(
        'QUEUE_REFUSED',
        `queue ${path}: its disk has ${sized(total)}, too little for a queue; put it on a larger one`,
      )
  }

  /** Free now, in bytes. */
  get free(): number {
    return this.#disk().free
  }

  /**
   * Whether the messages can be written and moved into the file with the reserve untouched. Holds as long as
   * no other process writes the file.
   */
  has(messages: readonly Weighed[]): boolean {
    const { free, total } = this.#disk()
    const bytes = this.#needed(messages) + otherPages * this.#pageBytes
    if (free > plenty + 2 * bytes) return true
    const pages = (name: string) => this.#file.get<Record<string, number>>(`PRAGMA ${name}`)?.[name] as number
    const spare = pages('freelist_count') * this.#pageBytes
    const toMove = Math.max(0, pages('page_count') * this.#pageBytes - statSync(this.#path).size)
    return free >= bytes + Math.max(0, bytes - spare) + toMove + reserveOf(total)
  }

  /** Up to half of a message's last page stays empty, and of a page of small ones not more than they take. */
  #needed(messages: readonly Weighed[]): number {
    const sizes = messages.map(({ body, headers }) => body.length + headers.length + rowBytes)
    return treeShare * sizes.reduce((sum, size) => sum + size + Math.min(size, this.#pageBytes / 2), 0)
  }

  /**
   * After how many pages SQLite moves the log into the file by itself: half of the reserve, or its own 1,000
   * where that is less.
   */
  get logPages(): number {
    return Math.min(1_000, Math.max(16, Math.floor(reserveOf(this.#disk().total) / 2 / this.#pageBytes)))
  }

  /** Moves the log into the file and frees its space, as far as no reader needs it. */
  reclaim(): void {
    this.#file.all('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** Unlimited where the file system reports nothing. */
  #disk(): { readonly total: number; readonly free: number } {
    const { bsize, blocks, bfree, bavail } = statfsSync(dirname(this.#path))
    // v8 ignore next -- a file system that says nothing of its size
    if (blocks === 0) return { total: Number.POSITIVE_INFINITY, free: Number.POSITIVE_INFINITY }
    return { total: (blocks - (bfree - bavail)) * bsize, free: bavail * bsize }
  }
}

const reserveOf = (total: number): number => Math.min(mostReserve, Math.max(leastReserve, total / 4))

export const sized = (bytes: number): string => `${(bytes / mib).toFixed(1)} MiB`
