/**
 * What a program gives to a load besides files: a stream of bytes, or objects. Both are kept like standard input, in a
 * file beside the producer's state until they are published, because a source is read twice.
 */
import { counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { formatOfPath } from '../format/registry.ts'
import type { Model, RowOf } from '../model/model.ts'
import type { LoadOptions } from './options.ts'

type Each<T> = Iterable<T> | AsyncIterable<T>

/** A value of a field, where its column has the type `T`: texts and numbers are read as those of a file are. */
type GivenValue<T> = string extends T ? unknown : T | string | number | bigint | null | undefined

/**
 * A record of `M` as a line of NDJSON would have it: by the names of its fields, of which the types are known where a
 * column has the name of its field.
 */
export type RecordOf<M extends Model> = object & {
  readonly [K in keyof RowOf<M>]?: GivenValue<RowOf<M>[K]>
}

/** Files, folders, patterns; `-` is standard input. */
export interface GivenPaths {
  readonly paths: readonly string[]
  readonly stream?: undefined
  readonly objects?: undefined
}

/** Bytes as the source of a load: an upload, an answer over HTTP, the output of a process. */
export interface GivenStream {
  /** The bytes of a file, compressed or not; a `Readable` is one. */
  readonly stream: Each<Uint8Array | string>
  /**
   * What the source is called in receipts and rejects. Name and content identify the load: the same content under the
   * same name is loaded once. Its suffix says the format, where `format` does not.
   */
  readonly name: string
  readonly paths?: undefined
  readonly objects?: undefined
}

/** Objects as the source of a load: from a query, an API, a generator. */
export interface GivenObjects<R> {
  /**
   * Plain objects, each taken when the one before it has been kept. A Date stands for its instant, a bigint for its
   * digits.
   */
  readonly objects: Each<R>
  /** As of a stream. The objects as JSON are the content, so their fields must keep their order. */
  readonly name: string
  readonly paths?: undefined
  readonly stream?: undefined
}

export type GivenSource = (GivenPaths | GivenStream | GivenObjects<object>) &
  Pick<LoadOptions, 'format' | 'signal'>

/** The source in the options by which a producer knows it. Throws `USAGE` unless there is exactly one. */
export function sourceOptions(
  given: GivenSource,
): Pick<LoadOptions, 'paths' | 'stdin' | 'stdinName' | 'format'> {
  const { paths, stream, objects } = given
  if ([paths, stream, objects].filter((each) => each !== undefined).length !== 1)
    throw new LadingError('USAGE', 'a load has paths, a stream or objects: one of them')
  if (given.paths !== undefined) return { paths: given.paths }
  const { name, signal } = given
  if (typeof name !== 'string' || name === '')
    throw new LadingError('USAGE', 'a stream and objects need a name, which identifies their load')
  if (given.stream !== undefined)
    return {
      paths: ['-'],
      stdin: heard(given.stream, name, signal, bytesOf),
      stdinName: name,
      format: given.format ?? formatOfPath(name),
    }
  return {
    paths: ['-'],
    stdin: heard(given.objects, name, signal, linesOf),
    stdinName: name,
    format: 'ndjson',
  }
}

/** Whatever stops the source is a failure of its own, and named as one: nothing has been planned of it. */
async function* heard<T>(
  source: Each<T>,
  name: string,
  signal: AbortSignal | undefined,
  read: (source: AsyncIterable<T>) => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const taken = { count: 0 }
  try {
    yield* read(taking(source, taken, signal))
  } catch (cause) {
    if (cause instanceof LadingError) throw cause
    // What it says may hold data of a record, or a password.
    const kind = cause instanceof Error ? cause.name : typeof cause
    throw new LadingError(
      'SOURCE_FAILED',
      `${name}: the program that gives it threw ${kind} after ${counted(taken.count, 'piece')}; nothing of it was loaded`,
      { cause },
    )
  }
}

/** Ends when the signal aborts, whatever the source is waiting for. */
async function* taking<T>(
  source: Each<T>,
  taken: { count: number },
  signal: AbortSignal = new AbortController().signal,
): AsyncIterable<T> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let isOver = false
  // One listener for the source: one for each object costs more than decoding it.
  let stop: (() => void) | undefined
  const onAbort = () => stop?.()
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined)
        // v8 ignore next -- who reads it stops by the same signal, mostly before
        if (signal.aborted) stop()
        else Promise.resolve(iterator.next()).then(resolve, reject)
      })
      if (next === undefined) throw new LadingError('ABORTED', 'stopped while reading what the program gives')
      if (next.done === true) {
        isOver = true
        return
      }
      yield next.value
      taken.count++
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // A source that is waiting may never answer.
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}

/** A piece of text may end within a character: the first half of a surrogate pair waits for the second one. */
async function* bytesOf(pieces: AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array> {
  let half = ''
  for await (const piece of pieces) {
    const text: string = half + (typeof piece === 'string' ? piece : '')
    half = typeof piece === 'string' && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
    if (text.length > half.length) yield Buffer.from(text.slice(0, text.length - half.length))
    if (typeof piece !== 'string') yield piece
  }
  if (half !== '') yield Buffer.from(half)
}

/** Texts are joined up to this length, in UTF-16 code units. */
const pieceLength = 64 * 1024

async function* linesOf(objects: AsyncIterable<object>): AsyncIterable<Uint8Array> {
  let lines = ''
  for await (const record of objects) {
    lines += `${jsonOf(record)}\n`
    if (lines.length < pieceLength) continue
    yield Buffer.from(lines)
    lines = ''
  }
  yield Buffer.from(lines)
}

function jsonOf(record: unknown): string {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new TypeError('a record is an object')
  // A replacer costs several times as much as the rest.
  return Object.values(record).every(isPlain) ? JSON.stringify(record) : JSON.stringify(record, exactly)
}

const isInvalidDate = (value: unknown): boolean => value instanceof Date && Number.isNaN(value.getTime())

const isPlain = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  value === null ||
  (Number.isSafeInteger(value) && !Object.is(value, -0))

/** Every Node that Lading runs on has it, and not the types. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object }

/**
 * JSON has no infinity and no invalid date and would write null for them, and 0 for -0: a value that it cannot hold goes
 * as its text, which a column of numbers or times refuses.
 */
function exactly(this: unknown, key: string, value: unknown): unknown {
  if (value === null) return isInvalidDate((this as Record<string, unknown>)[key]) ? 'Invalid Date' : value
  if (typeof value === 'bigint') return rawJSON(String(value))
  if (typeof value !== 'number') return value
  if (Object.is(value, -0)) return rawJSON('-0')
  return Number.isFinite(value) ? value : String(value)
}
