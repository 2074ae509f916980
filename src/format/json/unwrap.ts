/** Envelopes that services put around records, by name: what of them is the record. */
import { comma, kinds, openBracket, Scanner } from './scan.ts'
import { type Member, membersOf } from './members.ts'
import { unescape } from './text.ts'

/** A value of JSON: `bytes[start, end)`. */
export interface Doc {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** What stood around it, without it: an object. */
  readonly envelope?: Buffer | undefined
  /** The row that it names was deleted. */
  readonly isDeleted?: boolean
}

/** One object of the service, with its members. */
interface Wrapped {
  readonly doc: Doc
  readonly members: ReadonlyMap<string, Member>
}

/** The records in an envelope, or why it is none. */
type Unwrap = (wrapped: Wrapped) => readonly Doc[] | string

const scan = new Scanner()

function wrappedIn(doc: Doc): Wrapped {
  scan.bytes = doc.bytes
  scan.end = doc.bytes.length
  return { doc, members: membersOf(scan, doc.start) }
}

const textOf = ({ doc: { bytes } }: Wrapped, member: Member | undefined): string | undefined =>
  member?.kind === kinds.string
    ? unescape(bytes, member.start + 1, member.end - 1).toString('utf8')
    : undefined

/** The envelope without some of its members, as an object; what stood around it itself is its `$`. */
function without({ doc, members }: Wrapped, ...names: readonly string[]): Buffer {
  const others = [...members].filter(([name]) => !names.includes(name))
  const parts = others.map(([, { nameStart, end }]) => doc.bytes.subarray(nameStart, end))
  const outer = doc.envelope === undefined ? [] : [Buffer.from('"$":'), doc.envelope]
  const pieces = parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]))
  const separator = pieces.length > 0 && outer.length > 0 ? [Buffer.from(',')] : []
  return Buffer.concat([Buffer.from('{'), ...pieces, ...separator, ...outer, Buffer.from('}')])
}

/** The value of a member. */
function valueIn(wrapped: Wrapped, name: string): Doc | undefined {
  const member = wrapped.members.get(name)
  if (member === undefined) return undefined
  const { start, end } = member
  return { bytes: wrapped.doc.bytes, start, end, envelope: without(wrapped, name) }
}

/** The JSON in the text of a member. */
function textIn(wrapped: Wrapped, name: string, encoding?: 'base64'): Doc | string {
  const member = wrapped.members.get(name)
  if (member?.kind !== kinds.string) return `its ${name} is no text`
  const text = unescape(wrapped.doc.bytes, member.start + 1, member.end - 1)
  const bytes = encoding === undefined ? text : Buffer.from(text.toString('latin1'), encoding)
  scan.bytes = bytes
  scan.end = bytes.length
  const start = scan.space(0)
  const end = scan.value(start, 0)
  if (end < 0) return `at byte ${scan.brokenAt} of its ${name}, ${scan.broken}`
  if (scan.space(end) < bytes.length) return `more than one value stands in its ${name}`
  return { bytes, start, end, envelope: without(wrapped, name) }
}

/** An array of records, or one. */
function elementsOf(doc: Doc): readonly Doc[] {
  const { bytes, start } = doc
  if (bytes[start] !== openBracket) return [doc]
  scan.bytes = bytes
  scan.end = bytes.length
  const elements: Doc[] = []
  // The bracket is sound, so the last element ends before the one that closes.
  for (let at = scan.space(start + 1); at < doc.end - 1;) {
    const end = scan.value(at, 1, false)
    elements.push({ ...doc, start: at, end })
    at = scan.space(end)
    if (bytes[at] === comma) at = scan.space(at + 1)
  }
  return elements
}

const all = (found: Doc | string): readonly Doc[] | string =>
  typeof found === 'string' ? found : elementsOf(found)

const sns: Unwrap = (wrapped) => {
  const type = textOf(wrapped, wrapped.members.get('Type'))
  if (type !== 'Notification') return 'its Type is not Notification'
  return all(textIn(wrapped, 'Message'))
}

const eventbridge: Unwrap = (wrapped) => {
  const detail = wrapped.members.has('detail-type') ? valueIn(wrapped, 'detail') : undefined
  return detail === undefined ? 'it has no detail with a detail-type' : elementsOf(detail)
}

const cloudevents: Unwrap = (wrapped) => {
  if (!wrapped.members.has('specversion')) return 'it has no specversion'
  if (wrapped.members.has('data_base64')) return all(textIn(wrapped, 'data_base64', 'base64'))
  return all(valueIn(wrapped, 'data') ?? 'it has no data')
}

const s3: Unwrap = (wrapped) => {
  // What S3 sends once, when notifications are set up.
  if (textOf(wrapped, wrapped.members.get('Event')) === 's3:TestEvent') return []
  const records = valueIn(wrapped, 'Records')
  return records?.bytes[records.start] === openBracket ? elementsOf(records) : 'it has no array of Records'
}

const rowsBefore: readonly string[] = ['d']
const rowsAfter: readonly string[] = ['c', 'u', 'r']

const debezium: Unwrap = (outer) => {
  const payload = valueIn(outer, 'payload')
  const wrapped = payload === undefined ? outer : wrappedIn({ ...payload, envelope: outer.doc.envelope })
  // A tombstone lets Kafka forget a row whose deletion came before it.
  if (outer.members.get('payload')?.kind === kinds.null) return []
  const op = textOf(wrapped, wrapped.members.get('op'))
  if (op === undefined) return 'it has no op'
  if (rowsAfter.includes(op)) return all(valueIn(wrapped, 'after') ?? 'it has no after')
  if (!rowsBefore.includes(op)) return `its op is ${JSON.stringify(op)}, which changes no single row`
  const before = valueIn(wrapped, 'before')
  if (before === undefined || wrapped.members.get('before')?.kind === kinds.null)
    return 'it deletes a row and has no before that names it'
  return [{ ...before, isDeleted: true }]
}

const kindsOfEnvelope = { sns, eventbridge, cloudevents, debezium, s3 } as const satisfies Record<
  string,
  Unwrap
>

export type Envelope = keyof typeof kindsOfEnvelope

export const envelopes = Object.keys(kindsOfEnvelope) as readonly Envelope[]

export const isEnvelope = (name: unknown): name is Envelope => envelopes.includes(name as Envelope)

/**
 * The records in envelopes that lie in one another, the outermost first; or why the value is none of them.
 * The value must be sound.
 */
export function unwrapped(doc: Doc, chain: readonly Envelope[]): readonly Doc[] | string {
  let docs: readonly Doc[] = [doc]
  for (const name of chain) {
    const inner: Doc[] = []
    for (const each of docs) {
      const found = kindsOfEnvelope[name](wrappedIn(each))
      if (typeof found === 'string') return `no envelope of ${name}: ${found}`
      inner.push(...found)
    }
    docs = inner
  }
  return docs
}
