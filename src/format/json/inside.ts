/**
 * Reads records that stand inside of other objects: of envelopes that are opened, and then where a path
 * leads. Each object of a message, line of a file or element of an array is looked at by itself.
 */
import type { WantedField } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import type { Layout } from '../../core/load.ts'
import { fieldPath, parsePath, type Path, pathText } from '../../core/path.ts'
import { envelopeName } from './object.ts'
import { Reach } from './reach.ts'
import { JsonReader } from './read.ts'
import { openBrace, Scanner } from './scan.ts'
import { type Doc, type Envelope, isEnvelope, unwrapped } from './unwrap.ts'

/** Where records stand, in the layout. */
export interface Inside {
  readonly path?: Path | undefined
  /** The envelopes around them, the outermost first. */
  readonly unwrap: readonly Envelope[]
}

/** Undefined where the layout says what cannot be read. */
export function insideOf({ records, unwrap = [] }: Layout): Inside | undefined {
  const path = typeof records === 'string' ? parsePath(records) : undefined
  if ((records !== undefined && path === undefined) || !Array.isArray(unwrap) || !unwrap.every(isEnvelope))
    return undefined
  return { path, unwrap }
}

export const isInside = ({ path, unwrap }: Inside): boolean => path !== undefined || unwrap.length > 0

/** The keys of the layout. */
export const insideKeys = ({ path = [], unwrap }: Inside): Partial<Layout> => ({
  ...(path.length > 0 && { records: pathText(path) }),
  ...(unwrap.length > 0 && { unwrap }),
})

/** A record with its place in the body, or what cannot be opened. */
interface Found extends Doc {
  readonly fault?: Fault | undefined
  readonly placeStart: number
  readonly placeEnd: number
}

/** Names a record whose row was deleted, as Debezium's own flattening does. */
const deletedMark = Buffer.from('"__deleted":"true"')

export class InsideReader extends JsonReader {
  /** The record itself, where it is not what stands in its place. */
  text: Buffer | undefined
  readonly #units: JsonReader
  readonly #inside: Inside
  readonly #reach: Reach | undefined
  readonly #withEnvelope: boolean
  readonly #isMessage: boolean
  readonly #isOfChanges: boolean
  #body: Buffer = Buffer.alloc(0)
  #found: readonly Found[] = []
  #at = 0

  constructor(
    inside: Inside,
    wanted: readonly WantedField[],
    ignoreExtra: boolean,
    form?: 'lines' | 'elements',
  ) {
    super(wanted, ignoreExtra, form)
    this.#units = new JsonReader([], true, form)
    this.#inside = inside
    this.#reach = inside.path && new Reach(inside.path)
    this.#isMessage = form === undefined
    this.#isOfChanges = inside.unwrap.includes('debezium')
    this.#withEnvelope = wanted.some(({ name }) => fieldPath(name)?.[0] === envelopeName)
  }

  override open(body: Buffer): string | undefined {
    this.#body = body
    this.#found = []
    this.#at = 0
    this.text = undefined
    this.take(body)
    // A message of its own, for which some transports have no null.
    const isTombstone = this.#isOfChanges && /^(null|default)?$/.test(body.toString('latin1', 0, 16))
    return this.#units.open(this.#isMessage && isTombstone ? Buffer.from('[]') : body)
  }

  override openOne(record: Buffer): void {
    this.text = undefined
    super.openOne(record)
  }

  override next(): boolean {
    while (this.#at === this.#found.length) {
      if (!this.#units.next()) return false
      this.#at = 0
      this.#found = this.#recordsOf(this.#units)
    }
    const found = this.#found[this.#at++] as Found
    const { start, end, fault, placeStart, placeEnd } = found
    this.text = this.#textOf(found)
    const bytes = this.text ?? this.#body
    if (this.bytes !== bytes) this.take(bytes)
    if (this.text === undefined) this.standOn(start, end, fault)
    else this.standOn(0, this.text.length, fault)
    this.recordStart = placeStart
    this.recordEnd = placeEnd
    return true
  }

  /** The records in the object that the reader stands on; one that is not sound is a record itself. */
  #recordsOf({ recordStart: start, recordEnd: end, fault }: JsonReader): readonly Found[] {
    const unit = { bytes: this.#body, start, end, placeStart: start, placeEnd: end }
    const { unwrap } = this.#inside
    if (fault !== undefined) return this.#isTombstone(unit) ? [] : [{ ...unit, fault }]
    const docs = unwrapped(unit, unwrap)
    if (typeof docs === 'string') return [{ ...unit, fault: { code: 'NOT_WRAPPED', detail: docs } }]
    return docs.flatMap((doc) => this.#reachedIn(doc, unit))
  }

  /** A line of NDJSON that is null. */
  #isTombstone({ bytes, start, end }: Doc): boolean {
    return this.#isOfChanges && bytes.toString('latin1', start, end) === 'null'
  }

  #reachedIn(doc: Doc, unit: Found): readonly Found[] {
    const placed = (each: Doc, fault?: Fault): Found =>
      each.bytes === unit.bytes
        ? { ...each, fault, placeStart: each.start, placeEnd: each.end }
        : { ...each, fault, placeStart: unit.placeStart, placeEnd: unit.placeEnd }
    if (this.#reach === undefined) return [placed(doc)]
    return this.#reach
      .in(doc.bytes, doc.start)
      .map(({ start, end, isMissing }) =>
        placed({ ...doc, start, end }, isMissing ? this.#nothingThere() : undefined),
      )
  }

  #nothingThere(): Fault {
    const { path = [] } = this.#inside
    return { code: 'NO_RECORDS', detail: `the path ${pathText(path)} leads to nothing in it` }
  }

  /** Undefined where the record stands in the body as it is. */
  #textOf({ bytes, start, end, envelope, isDeleted, fault }: Found): Buffer | undefined {
    const isObject = bytes[start] === openBrace && fault === undefined
    const more = [
      ...(isObject && isDeleted === true ? [deletedMark] : []),
      ...(isObject && this.#withEnvelope && envelope !== undefined
        ? [Buffer.concat([Buffer.from(`"${envelopeName}":`), envelope])]
        : []),
    ]
    if (more.length === 0) return bytes === this.#body ? undefined : bytes.subarray(start, end)
    const scan = new Scanner()
    scan.bytes = bytes
    scan.end = end
    // An empty object needs no comma.
    const isEmpty = scan.space(start + 1) === end - 1
    const pieces = more.flatMap((each, index) => (isEmpty && index === 0 ? [each] : [Buffer.from(','), each]))
    return Buffer.concat([bytes.subarray(start, end - 1), ...pieces, Buffer.from('}')])
  }
}

/** Counts the records of a line or an element by itself, as a reader of all of them finds them. */
export function recordCounter(inside: Inside, form: 'lines' | 'elements'): (unit: Buffer) => number {
  const reader = new InsideReader(inside, [], true, form)
  return (unit) => {
    let count = 0
    for (reader.open(unit); reader.next();) count++
    return count
  }
}
