/**
 * What a chunk says of itself, in one header of its message (one, because SQS allows ten). It names no table
 * and no SQL: where records go is the consumer's own configuration, never the message's. Where the message
 * carries a reference instead of bytes, it names a file below a folder that again the consumer's
 * configuration decides.
 */
import type { Layout, LoadInfo } from '../core/load.ts'
import { sha256Of } from '../core/sha256.ts'
import type { Headers } from './queue.ts'

/**
 * Where the bytes of a chunk lie, for consumers that share a file system with the producer; the body is empty
 * then.
 */
export interface ChunkReference {
  /**
   * With '/' between its parts: below the consumer's root, or from '/' on, for consumers on the same machine.
   */
  readonly path: string
  /** Length of the chunk, which begins at the envelope's `byteStart`. */
  readonly bytes: number
}

export interface ChunkEnvelope {
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
  /** As the message states it: only its format knows whether it can read that. */
  readonly layout: Layout
  readonly reference?: ChunkReference
}

/** A header that cannot be used, and why. */
export interface EnvelopeFault {
  readonly code: 'BAD_ENVELOPE' | 'ENVELOPE_NEWER'
  readonly detail: string
  /** Stated in the same place by every version, so that it is known of newer ones too. */
  readonly pipeline?: string | undefined
}

const header = 'lading'

/**
 * Versions of the header. 1: CSV, whose layout stands beside the other parts. 2: the same with a reference; a
 * consumer that knows version 1 alone would take the empty body for a damaged one. 3: any format, and CSV
 * written in any way, with the layout in a part of its own. Each chunk gets the lowest that can state it, for consumers of older versions.
 */
const newestVersion = 3

/** Identifies a database in an envelope without revealing where it is. */
export const targetOf = (place: string): string => sha256Of(place)

export const chunkKey = (loadId: string, chunk: number): string => `${loadId}/${chunk}`

export function envelopeHeaders({ layout, ...rest }: ChunkEnvelope): Headers {
  const envelope = isOfOldest(layout)
    ? { v: rest.reference === undefined ? 1 : 2, ...rest, ...layout }
    : { v: 3, ...rest, layout }
  return { [header]: JSON.stringify(envelope) }
}

/** Whether version 1 can state the layout: CSV with a delimiter and a quote, and nothing more. */
const isOfOldest = (layout: Layout): boolean =>
  Object.keys(layout).every((key) => key === 'fields' || key === 'delimiter' || key === 'quote')

/** Whether the message says that it is a Lading chunk, readable or not. */
export const claimsChunk = (headers: Headers): boolean => Object.hasOwn(headers, header)

/** The envelope of a chunk, with its known parts alone; undefined where the message is an external one. */
export function readEnvelope(headers: Headers): ChunkEnvelope | EnvelopeFault | undefined {
  const text = headers[header]
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { code: 'BAD_ENVELOPE', detail: 'the header of the chunk is not JSON' }
  }
  if (!isObject(value)) return incomplete
  const { v, pipeline } = value
  if (typeof v === 'number' && v > newestVersion) {
    const detail = `the chunk's header has version ${v}, this lading knows ${newestVersion}`
    return { code: 'ENVELOPE_NEWER', detail, pipeline: typeof pipeline === 'string' ? pipeline : undefined }
  }
  const layout = layoutIn(value)
  return layout !== undefined && isEnvelope(value) ? knownParts(value, layout) : incomplete
}

const incomplete: EnvelopeFault = {
  code: 'BAD_ENVELOPE',
  detail: 'the header of the chunk lacks a part, or one has the wrong type',
}

/** As `readEnvelope`; undefined also where the header cannot be read. */
export function readableEnvelope(headers: Headers): ChunkEnvelope | undefined {
  const envelope = readEnvelope(headers)
  return envelope !== undefined && 'code' in envelope ? undefined : envelope
}

const hash = /^[0-9a-f]{64}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function layoutIn({ v, fields, delimiter, quote, layout }: Record<string, unknown>): Layout | undefined {
  if (v === 3) {
    const isLayout = isObject(layout) && isFormat(layout['format']) && areFields(layout['fields'])
    return isLayout ? (layout as Layout) : undefined
  }
  return areFields(fields) && isName(delimiter) && isName(quote) ? { fields, delimiter, quote } : undefined
}

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value)

const isFormat = (value: unknown): boolean => value === undefined || isName(value)

const areFields = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

function isEnvelope(value: Record<string, unknown>): value is Record<string, unknown> & ChunkEnvelope {
  const { v, load, reference } = value
  return (
    (v === 1 || v === 2 || v === 3) &&
    (reference === undefined ? v !== 2 : v !== 1 && isReference(reference)) &&
    (value['target'] === undefined || isText(value['target'], hash)) &&
    isObject(load) &&
    isText(load['id'], uuid) &&
    [load['sha256'], load['plan'], value['sha256']].every((each) => isText(each, hash)) &&
    [load['bytes'], load['chunks'], load['records']].every(isCount) &&
    [value['chunk'], value['records'], value['byteStart']].every(isCount) &&
    [value['firstRecord'], value['firstLine']].every(isCount) &&
    [value['pipeline'], load['source']].every(isName)
  )
}

const isReference = (value: unknown): boolean =>
  isObject(value) && typeof value['path'] === 'string' && isCount(value['bytes']) && value['bytes'] !== 0

function knownParts(value: ChunkEnvelope, layout: Layout): ChunkEnvelope {
  const { pipeline, target, load, chunk, records, sha256, byteStart, firstRecord, firstLine, reference } =
    value
  const { id, source, bytes, plan, chunks } = load
  return {
    pipeline,
    ...(target !== undefined && { target }),
    load: { id, source, sha256: load.sha256, bytes, plan, chunks, records: load.records },
    chunk,
    records,
    sha256,
    byteStart,
    firstRecord,
    firstLine,
    layout,
    ...(reference && { reference: { path: reference.path, bytes: reference.bytes } }),
  }
}

/** PATH_MAX of Linux; names are shown and stored, so they need a limit. */
const mostNameLength = 4096
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= mostNameLength
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
