/**
 * A file on a server, read by ranges: what the stores have in common. The file is what it was at the first look:
 * each range is asked for in that state, and another state ends the reading with `SOURCE_CHANGED`. Two ranges
 * are in memory at most, the one that is read and the one behind it.
 */
import { LadingError } from '../core/errors.ts'
import type { Abortable } from '../core/wait.ts'
import { handled } from './ahead.ts'
import type { Held } from './held.ts'
import { type Asked, type Facts, patiently, readOn, type RemoteFile, sourceChanged } from './remote-file.ts'
import { isPathDown } from './root.ts'
import type { RangeReader, ReadOptions, Source, Stamp, Whole } from './source.ts'

/** What is read if only the beginning is wanted, and then more and more, in bytes. */
const leastBytes = 64 * 1024
const firstBytes = 1024 * 1024
const mostBytes = 8 * 1024 * 1024
const growth = 4
/** What is read first where pieces of this size are wanted. */
const beginningFor = (pieceBytes: number): number => (pieceBytes < firstBytes ? leastBytes : firstBytes)
/** What is kept of the beginning: it shows compression and marks, which are asked for again and again. */
const headBytes = 512

/** What a listing said, and small files that were read in the same run. */
interface Listed {
  readonly facts: Facts
  readonly held?: Held | undefined
}

interface First extends Abortable {
  readonly bytes: Promise<Buffer>
}

export class RemoteSource implements Source {
  readonly name: string
  readonly #file: RemoteFile
  #facts: Facts | undefined
  #head: Buffer | undefined
  /** Where a listing has said what the file is. */
  readonly #listed: Listed | undefined
  /** What is read ahead. */
  #first: First | undefined

  constructor(file: RemoteFile, name: string, listed?: Listed) {
    this.#file = file
    this.name = name
    this.#facts = listed?.facts
    this.#listed = listed
  }

  get path(): string {
    return this.#file.url
  }

  get location(): string {
    return this.#file.url
  }

  get isTransient(): boolean {
    return false
  }

  get isPrivate(): boolean {
    return this.#file.isPrivate === true
  }

  async size(): Promise<number> {
    try {
      return (await this.#known()).size
    } catch (error) {
      if (error instanceof LadingError && error.code === 'SOURCE_MISSING') return 0
      throw error
    }
  }

  async state(): Promise<string> {
    return (await this.#known()).state
  }

  /** What a listing said is there without a question. */
  stamp(): Stamp | undefined {
    const facts = this.#listed?.facts
    return facts && { text: facts.state, size: facts.size, isSettled: true }
  }

  whole(): Whole | undefined {
    const bytes = this.#whole
    return bytes && { bytes, state: (this.#facts as Facts).state }
  }

  async ahead({ pieceBytes = firstBytes, signal }: ReadOptions & Abortable = {}): Promise<void> {
    if (this.#whole !== undefined) return
    const asked = { at: 0, bytes: beginningFor(pieceBytes), signal }
    this.#first ??= { bytes: handled(this.#ask(asked)), signal }
    await this.#first.bytes.catch(() => undefined)
  }

  async *bytes({ pieceBytes = firstBytes }: ReadOptions = {}): AsyncGenerator<Buffer> {
    const over = new AbortController()
    const read = (at: number, bytes: number) => this.#read({ at, bytes, signal: over.signal })
    let bytes = beginningFor(pieceBytes)
    let isWanted = pieceBytes >= firstBytes
    let ahead: Promise<Buffer> | undefined
    try {
      for (let at = 0; ;) {
        const piece = await (ahead ?? read(at, bytes))
        ahead = undefined
        const facts = this.#facts as Facts
        if (!facts.hasRanges && this.#file.stream !== undefined) return yield* this.#file.stream(facts.state)
        at += piece.length
        bytes = Math.min(bytes * growth, mostBytes)
        if (isWanted && at < facts.size) ahead = handled(read(at, bytes))
        isWanted = true
        if (piece.length > 0) yield piece
        if (at >= facts.size) return
      }
    } finally {
      over.abort()
    }
  }

  async ranges(): Promise<RangeReader | undefined> {
    const facts = await this.#known()
    if (!facts.hasRanges) return undefined
    return new Ranges(facts.size, this.#head, (at, bytes, signal) => this.#read({ at, bytes, signal }))
  }

  async reference(root?: string): Promise<string | undefined> {
    if (!(await this.#known()).hasRanges) return undefined
    if (root === undefined) return this.isPrivate ? undefined : this.#file.url
    const path = this.#file.pathBelow(root)
    if (path === undefined)
      throw new LadingError(
        'USAGE',
        `${this.path} lies outside ${root}, where messages cannot refer to it: name the URL of a folder above it with --root`,
      )
    return isPathDown(path) ? path : undefined
  }

  async #known(): Promise<Facts> {
    return (this.#facts ??= await patiently(() => this.#file.facts()))
  }

  get #whole(): Buffer | undefined {
    return this.#listed?.held?.get(this.#key)
  }

  get #key(): string {
    return `${this.#listed?.facts.state} ${this.#file.url}`
  }

  async #read(asked: Asked): Promise<Buffer> {
    const whole = this.#whole
    if (whole !== undefined) return whole.subarray(asked.at, asked.at + asked.bytes)
    const first = asked.at === 0 ? await this.#takeFirst() : undefined
    if (first === undefined) return await this.#ask(asked)
    const { size, hasRanges } = this.#facts as Facts
    const isEnough = first.length >= Math.min(asked.bytes, size) || !hasRanges
    return isEnough ? first.subarray(0, asked.bytes) : await this.#ask(asked)
  }

  /** It is not kept: there may be many sources. */
  #takeFirst(): Promise<Buffer> | undefined {
    const { bytes, signal } = this.#first ?? {}
    this.#first = undefined
    return signal?.aborted === true ? undefined : bytes
  }

  async #ask(asked: Asked): Promise<Buffer> {
    const known = { ...asked, state: this.#facts?.state }
    const { facts, bytes } = await readOn(this.#file, known, (work) => patiently(work, asked.signal))
    // v8 ignore next -- a second question that was under way while the file changed
    if (this.#facts !== undefined && facts.state !== this.#facts.state) throw sourceChanged(this.#file.url)
    this.#facts = facts
    if (asked.at === 0) this.#head = Buffer.from(bytes.subarray(0, headBytes))
    if (bytes.length === facts.size && facts.size <= leastBytes) this.#listed?.held?.add(this.#key, bytes)
    return bytes
  }
}

type ReadAt = (at: number, bytes: number, signal: AbortSignal) => Promise<Buffer>

/** Reads at any offset, and what follows in large ranges, the next one ahead. */
class Ranges implements RangeReader {
  readonly #size: number
  readonly #read: ReadAt
  readonly #over = new AbortController()
  #block: Buffer
  #start = 0
  #isHead: boolean
  #ahead: { readonly at: number; readonly bytes: Promise<Buffer> } | undefined

  constructor(size: number, head: Buffer | undefined, read: ReadAt) {
    this.#size = size
    this.#read = read
    this.#block = head ?? Buffer.alloc(0)
    this.#isHead = true
  }

  async read(into: Buffer, at: number): Promise<number> {
    if (at >= this.#size) return 0
    const isThere = at >= this.#start && at < this.#start + this.#block.length
    // The head alone is no reason to read what follows it.
    if (!isThere || (this.#isHead && into.length > this.#block.length)) await this.#turn(at, into.length)
    return this.#block.copy(into, 0, at - this.#start)
  }

  async #turn(at: number, wanted: number): Promise<void> {
    const isNext = !this.#isHead && at === this.#start + this.#block.length
    const ahead = this.#ahead
    this.#ahead = undefined
    const bytes = isNext ? mostBytes : Math.max(wanted, wanted <= headBytes ? leastBytes : firstBytes)
    this.#block = await (ahead?.at === at ? ahead.bytes : this.#read(at, bytes, this.#over.signal))
    this.#start = at
    this.#isHead = false
    const end = at + this.#block.length
    if (isNext && end < this.#size)
      this.#ahead = { at: end, bytes: handled(this.#read(end, mostBytes, this.#over.signal)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
  }
}
