/**
 * What a chunk says of itself, in one header of its message (one, because SQS allows ten). It names no table
 * and no SQL: where records go is the consumer's own configuration, never the message's. Where the message
 * carries a reference instead of bytes, it names a file below a folder that again the consumer's
 * configuration decides.
 */
import { LadingError } from '../core/errors.ts'
import type { Layout, LoadInfo } from '../core/load.ts'
import { sha256Of } from '../core/sha256.ts'
import type { Headers } from './queue.ts'

/**
 * Where the bytes of a chunk lie, for consumers that share a file system with the producer; the body is empty
 * then.
 */
export interface ChunkReference {
  /** Below the root, with '/' between its parts. */
  readonly path: string
  /** Length of the chunk, which begins at the envelope's `byteStart`. */
  readonly bytes: number
}

export interface ChunkEnvelope extends Layout {
  /**
   * 2 with a reference: a consumer that knows version 1 alone would take the empty body for a damaged one.
   */
  readonly v: 1 | 2
  readonly pipeline: string
  /**
   * The database that the chunk is for, as `targetOf` names it; without it, for that of whichever consumer
   * takes it.
   */
  readonly target?: string
  readonly load: LoadInfo
  /** 0-based. */
  readonly chunk: number
  readonly records: number
  /** sha256 of the body, in hexadecimal. */
  readonly sha256: string
  /** 0-based byte offset of the body in the (decompressed) source. */
  readonly byteStart: number
  /** 1-based number of the body's first record, the header not counted, and of its physical line. */
  readonly firstRecord: number
  readonly firstLine: number
  readonly reference?: ChunkReference
}

const header = 'lading'
const newestVersion = 2

/** Identifies a database in an envelope without revealing where it is. */
export const targetOf = (place: string): string => sha256Of(place)

export const chunkKey = (loadId: string, chunk: number): string => `${loadId}/${chunk}`

export const envelopeHeaders = (envelope: ChunkEnvelope): Headers => ({ [header]: JSON.stringify(envelope) })

/** Whether the message says that it is a chunk of ours, be it readable or not. */
export const claimsChunk = (headers: Headers): boolean => Object.hasOwn(headers, header)

/**
 * The envelope of a chunk of ours; undefined where the message is somebody else's. Throws `BAD_ENVELOPE` and
 * `ENVELOPE_NEWER`.
 */
export function readEnvelope(headers: Headers): ChunkEnvelope | undefined {
  const text = headers[header]
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new LadingError('BAD_ENVELOPE', 'the header of the chunk is not JSON', { cause })
  }
  if (isObject(value) && typeof value['v'] === 'number' && value['v'] > newestVersion) {
    throw new NewerEnvelope(value['v'], typeof value['pipeline'] === 'string' ? value['pipeline'] : undefined)
  }
  if (!isEnvelope(value))
    throw new LadingError('BAD_ENVELOPE', 'the header of the chunk lacks a part, or one has the wrong type')
  return value
}

/** As `readEnvelope`; undefined also where the header cannot be read. */
export function readableEnvelope(headers: Headers): ChunkEnvelope | undefined {
  try {
    return readEnvelope(headers)
  } catch (error) {
    if (error instanceof LadingError) return undefined
    throw error
  }
}

/**
 * A header of a version that this lading does not know. Of `v` and `pipeline` every version says the same.
 */
class NewerEnvelope extends LadingError {
  readonly pipeline: string | undefined

  constructor(version: number, pipeline: string | undefined) {
    super('ENVELOPE_NEWER', `the chunk's header has version ${version}, this lading knows ${newestVersion}`)
    this.pipeline = pipeline
  }
}

/**
 * Whose the chunk is, of whatever version; undefined where the message is no chunk, or its header cannot be
 * read.
 */
export function pipelineOf(headers: Headers): string | undefined {
  try {
    return readEnvelope(headers)?.pipeline
  } catch (error) {
    return error instanceof NewerEnvelope ? error.pipeline : undefined
  }
}

const hash = /^[0-9a-f]{64}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function isEnvelope(value: unknown): value is ChunkEnvelope {
  if (!isObject(value)) return false
  const { load, fields } = value
  return (
    (value['v'] === 2
      ? isReference(value['reference'])
      : value['v'] === 1 && value['reference'] === undefined) &&
    (value['target'] === undefined || hash.test(String(value['target']))) &&
    isObject(load) &&
    uuid.test(String(load['id'])) &&
    [load['sha256'], load['plan'], value['sha256']].every((each) => hash.test(String(each))) &&
    [
      load['bytes'],
      load['chunks'],
      load['records'],
      value['chunk'],
      value['records'],
      value['byteStart'],
    ].every(isCount) &&
    [value['firstRecord'], value['firstLine']].every(isCount) &&
    [value['pipeline'], load['source'], value['delimiter'], value['quote']].every(isName) &&
    Array.isArray(fields) &&
    fields.every((each) => typeof each === 'string')
  )
}

const isReference = (value: unknown): boolean =>
  isObject(value) && typeof value['path'] === 'string' && isCount(value['bytes']) && value['bytes'] !== 0

/** Longer paths are opened nowhere (PATH_MAX of Linux), and names are told and kept. */
const mostNameLength = 4096
const isName = (value: unknown): boolean => typeof value === 'string' && value.length <= mostNameLength
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
