/**
 * Reads records of JSON, which are objects: those of a message (one object, an array of objects, or objects
 * one a line), the lines of a chunk of NDJSON, or the elements of a chunk of an array.
 *
 * No row may be written before it is known that a message is sound, so `open` looks at a single object or an
 * array as a whole. The boundaries of lines and elements do not depend on what is in them: a line is a record
 * unless it is blank, and of elements elements.ts has the rules.
 */
import { cr, lf } from '../../core/bytes.ts'
import type { WantedField } from '../../core/cells.ts'
import type { Fault } from '../../core/fault.ts'
import { maxRecordBytes } from '../../core/load.ts'
import type { RecordReader } from '../format.ts'
import { isText } from '../text.ts'
import { elementEnd, elementStart, withoutSpace } from './elements.ts'
import { ObjectCells, wantsOf } from './object.ts'
import { closeBracket, comma, openBrace, openBracket } from './scan.ts'

/** How the records lie in their bytes; those of a message in any of the first three. */
export type Form = 'object' | 'array' | 'lines' | 'elements'

export class JsonReader extends ObjectCells implements RecordReader {
  fault: Fault | undefined
  readonly #given: 'lines' | 'elements' | undefined
  #form: Form = 'object'
  /** Where to look for the next record, -1 after the last one. */
  #next = -1
  /** Whether no record can have a fault of its text. */
  #isText = true

  /** Without a form, that of each message is found. */
  constructor(wanted: readonly WantedField[], ignoreExtra: boolean, form?: 'lines' | 'elements') {
    super(wantsOf(wanted), ignoreExtra)
    this.#given = form
  }

  open(body: Buffer): string | undefined {
    this.take(body)
    if (this.#given === undefined) {
      const unreadable = this.#findForm()
      return unreadable && `at byte ${unreadable.at}, ${unreadable.why}`
    }
    this.#form = this.#given
    this.#next = 0
    return undefined
  }

  openOne(record: Buffer): void {
    this.take(record)
    const unreadable = this.#findForm()
    if (unreadable === undefined && this.#advance() && this.#next < 0) return
    const { at, why } = unreadable ?? { at: 0, why: 'exactly one object is expected' }
    this.recordStart = 0
    this.recordEnd = record.length
    const span = { start: at, end: at + 1 }
    this.fault = { code: 'BAD_JSON', detail: `at byte ${at} of the record, ${why}`, span }
  }

  next(): boolean {
    return this.#advance()
  }

  #advance(): boolean {
    if (this.#next < 0 || !this.#read(this.#next)) return false
    this.#judge()
    return true
  }

  #judge(): void {
    const isSound =
      this.flaw === undefined && this.#isText && this.recordEnd - this.recordStart <= maxRecordBytes
    this.fault = isSound ? undefined : this.faultOf(this.#isText)
  }

  /** Stands on a record that was found elsewhere, with a fault that it has in its place. */
  protected standOn(start: number, end: number, fault: Fault | undefined): void {
    if (fault === undefined && this.bytes[start] === openBrace) this.readObject(start)
    else {
      this.begin(start)
      this.spoil(start, 'an object is expected')
    }
    this.recordEnd = end
    if (fault === undefined) this.#judge()
    else this.fault = fault
  }

  protected take(body: Buffer): void {
    this.bytes = this.scan.bytes = body
    this.scan.end = body.length
    this.#isText = isText(body)
    this.#next = -1
  }

  /** Finds the form of a message; why it has none, and where that shows. */
  #findForm(): { readonly at: number; readonly why: string } | undefined {
    const { scan, bytes } = this
    const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    const start = scan.space(isMarked ? 3 : 0)
    if (start === bytes.length) return { at: start, why: 'there is nothing but space' }
    const form = this.#wholeForm(start)
    const { brokenAt, broken } = scan
    if (form === undefined && !this.#isLines(start)) return { at: brokenAt, why: broken }
    this.#form = form ?? 'lines'
    this.#next = form === 'array' ? this.#element(start + 1) : start
    return undefined
  }

  /** Reads the record that begins at `start` or behind it; false where there is none any more. */
  #read(start: number): boolean {
    switch (this.#form) {
      case 'object':
        // It has been read by `open`.
        this.#next = -1
        return true
      case 'array':
        this.#readElement(start)
        return true
      case 'lines':
        return this.#readLine(start)
      case 'elements':
        return this.#readRunElement(start)
    }
  }

  /**
   * What the message is as a whole; undefined where it is nothing that holds records, and then the scanner
   * says why.
   */
  #wholeForm(start: number): Form | undefined {
    const { scan } = this
    const first = this.bytes[start]
    const after = first === openBrace ? this.readObject(start) : scan.value(start, 0, false)
    if (after < 0) return undefined
    const rest = scan.space(after)
    if (rest < scan.end) scan.fail(rest, 'more follows the value')
    else if (first === openBrace) return 'object'
    else if (first !== openBracket) scan.fail(start, 'a single value stands, which is no record')
    else if (!this.#holdsObjects(start)) scan.fail(start, 'an array stands that holds no objects')
    else return 'array'
    return undefined
  }

  /** Whether a sound array is empty or has an object in it. */
  #holdsObjects(start: number): boolean {
    const { scan } = this
    let at = scan.space(start + 1)
    if (this.bytes[at] === closeBracket) return true
    for (; at >= 0; at = this.#element(scan.space(scan.value(at, 1, false))))
      if (this.bytes[at] === openBrace) return true
    return false
  }

  /** Where the next element of a sound array begins, given what stands before it; -1 after the last one. */
  #element(from: number): number {
    const at = this.scan.space(from)
    if (this.bytes[at] === closeBracket) return -1
    return this.bytes[at] === comma ? this.scan.space(at + 1) : at
  }

  #readElement(start: number): void {
    if (this.bytes[start] === openBrace) this.recordEnd = this.readObject(start)
    else {
      this.begin(start)
      this.recordEnd = this.scan.value(start, 1, false)
      this.spoil(start, 'an object is expected')
    }
    this.#next = this.#element(this.recordEnd)
  }

  /** An element of a run, between separators; none is known to be sound. */
  #readRunElement(from: number): boolean {
    const { scan, bytes } = this
    this.#next = -1
    const start = elementStart(bytes, from)
    if (start === bytes.length || bytes[start] === closeBracket) return false
    const after = bytes[start] === openBrace ? this.readObject(start) : -1
    const rest = after < 0 ? -1 : scan.space(after)
    const isEnd = rest === bytes.length || bytes[rest] === comma || bytes[rest] === closeBracket
    if (rest >= 0 && isEnd) {
      this.#next = rest
      return true
    }
    this.#next = elementEnd(bytes, start)
    if (bytes[start] !== openBrace) this.begin(start)
    if (after >= 0) this.spoil(rest, 'a comma is expected')
    else if (bytes[start] === openBrace) this.spoil(scan.brokenAt, scan.broken)
    else this.spoil(start, 'an object is expected')
    this.recordEnd = withoutSpace(bytes, start, this.#next)
    return true
  }

  /**
   * A message is lines if the first line is an object, or if more lines are objects than are not. No part of
   * a sound object or array is ever taken for that: whatever stands between two objects has a line of its own
   * then, and so has what opens the whole.
   */
  #isLines(start: number): boolean {
    let balance = 0
    for (let at = start; at < this.bytes.length; at = this.#lineEnd(at) + 1) {
      const end = this.#lineEnd(at)
      const sound = this.#isObjectLine(at, end)
      if (sound && at === start) return true
      if (sound !== undefined) balance += sound ? 1 : -1
    }
    return balance > 0
  }

  /** Undefined for a blank line. */
  #isObjectLine(start: number, end: number): boolean | undefined {
    const { scan } = this
    scan.end = end
    const at = scan.space(start)
    const after = at === end ? undefined : scan.value(at, 1, false)
    const sound =
      after !== undefined && after >= 0 && this.bytes[at] === openBrace && scan.space(after) === end
    scan.end = this.bytes.length
    return after === undefined ? undefined : sound
  }

  #readLine(from: number): boolean {
    const { scan } = this
    const start = scan.space(from)
    this.#next = -1
    if (start >= this.bytes.length) return false
    const end = this.#lineEnd(start)
    this.#next = end + 1
    scan.end = end
    const isObject = this.bytes[start] === openBrace
    if (!isObject) this.begin(start)
    const after = isObject ? this.readObject(start) : scan.value(start, 1, false)
    const rest = after < 0 ? after : scan.space(after)
    scan.end = this.bytes.length
    if (isObject && rest === end) return true
    if (rest < 0) this.spoil(scan.brokenAt, scan.broken)
    else if (isObject) this.spoil(rest, 'the end of the line is expected')
    else this.spoil(start, 'an object is expected')
    this.recordEnd = this.bytes[end - 1] === cr ? end - 1 : end
    return true
  }

  #lineEnd(from: number): number {
    const end = this.bytes.indexOf(lf, from)
    return end < 0 ? this.bytes.length : end
  }
}
