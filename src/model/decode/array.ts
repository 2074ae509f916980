/**
 * Arrays from the text of PostgreSQL (`{1,NULL,"a b"}`) or of JSON (`[1,null,"a b"]`), of any number of
 * dimensions. Each element is decoded by its own type, and the value is PostgreSQL's text.
 */
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'
import { isoDate, isoTime, isoTimestamp } from '../iso.ts'
import type { RowWriter } from '../writer.ts'

type Decode = (bytes: Buffer, start: number, end: number, writer: RowWriter) => Fault | undefined

/** What the elements are. */
export interface Elements {
  readonly decode: Decode
  /** Of timestamps: whether they are instants. */
  readonly instants: boolean
  /** Whether a string of JSON is an element with its quotes. */
  readonly json: boolean
}

export const arrayDecoder =
  (elements: Elements) =>
  (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    const value = arrayText(bytes.toString('utf8', start, end), elements)
    if (value === undefined)
      return { code: 'BAD_ARRAY', detail: `${found(bytes, start, end)} is not an array ({1,2} or [1,2])` }
    if (typeof value !== 'string') return value
    writer.custom(value)
    return undefined
  }

/** PostgreSQL's text of an array; undefined for a text that is none. */
export function arrayText(text: string, elements: Elements): string | Fault | undefined {
  const bounds = /^\s*(?:\[[+-]?\d+(?::[+-]?\d+)?\])+\s*=/.exec(text)?.[0]
  if (bounds !== undefined) return boundedText(bounds, text.slice(bounds.length), elements)
  const first = text.trimStart()[0]
  if (first === '[' && !isJson(text)) return undefined
  const reader = first === '[' ? new JsonElements(text, elements) : new TextElements(text, elements)
  const value = reader.array()
  return value === undefined || reader.fault !== undefined || !reader.isAtEnd ? reader.fault : value
}

/** With the subscripts that its elements begin with, `[0:1]={a,b}`. */
function boundedText(bounds: string, text: string, elements: Elements): string | Fault | undefined {
  const value = text.trimStart().startsWith('{') ? arrayText(text, elements) : undefined
  return typeof value === 'string' ? `${bounds.trim()}${value}` : value
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

abstract class ElementReader {
  fault: Fault | undefined
  protected readonly text: string
  protected readonly elements: Elements
  protected at = 0
  readonly #writer: ElementText

  constructor(text: string, elements: Elements) {
    this.text = text
    this.elements = elements
    this.#writer = new ElementText(elements.instants)
  }

  get isAtEnd(): boolean {
    this.#skipSpace()
    return this.at === this.text.length
  }

  protected abstract readonly open: string
  protected abstract readonly close: string
  /** The text of the element at `at`; null for NULL, undefined where there is none. */
  protected abstract element(): string | null | undefined

  /** The array that begins next. */
  array(): string | undefined {
    this.#skipSpace()
    if (this.text[this.at] !== this.open) return undefined
    this.at++
    const values: string[] = []
    this.#skipSpace()
    if (this.text[this.at] === this.close) {
      this.at++
      return '{}'
    }
    for (;;) {
      this.#skipSpace()
      const value = this.text[this.at] === this.open ? this.array() : this.#value()
      if (value === undefined) return undefined
      values.push(value)
      this.#skipSpace()
      const mark = this.text[this.at++]
      if (mark === this.close) return `{${values.join(',')}}`
      if (mark !== ',') return undefined
    }
  }

  #value(): string | undefined {
    const element = this.element()
    if (element === null) return 'NULL'
    if (element === undefined) return undefined
    this.fault ??= textFault(element)
    if (this.fault !== undefined) return undefined
    const bytes = Buffer.from(element)
    this.fault = this.elements.decode(bytes, 0, bytes.length, this.#writer)
    return this.fault === undefined ? quotedElement(this.#writer.value) : undefined
  }

  #skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? 'x')) this.at++
  }

  /** The text that the pattern, which is sticky, matches here. */
  protected take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)?.[0]
    if (match !== undefined) this.at += match.length
    return match
  }
}

function textFault(text: string): Fault | undefined {
  if (text.includes('\0')) return { code: 'NUL_BYTE', detail: 'an element of the array holds a NUL' }
  if (!text.isWellFormed())
    return { code: 'LONE_SURROGATE', detail: 'an element of the array holds half a surrogate pair' }
  return undefined
}

/** Plain where no reader can take it for anything else. */
const quotedElement = (text: string): string =>
  /^(?!null$)[\w.:+-]+$/i.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`

/** Of a text that is JSON. */
class JsonElements extends ElementReader {
  protected readonly open = '['
  protected readonly close = ']'

  protected element(): string | null | undefined {
    const start = this.at
    if (this.text[start] === '{') {
      this.#skipObject()
      return this.text.slice(start, this.at)
    }
    const string = this.take(/"(?:[^"\\]|\\.)*"/y)
    if (string !== undefined) return this.elements.json ? string : (JSON.parse(string) as string)
    const word = this.take(/[^\s,\]]+/y)
    return word === 'null' ? null : word
  }

  #skipObject(): void {
    let depth = 0
    do {
      const token = this.take(/"(?:[^"\\]|\\.)*"|[^"]/sy)
      depth += token === '{' ? 1 : token === '}' ? -1 : 0
    } while (depth > 0)
  }
}

class TextElements extends ElementReader {
  protected readonly open = '{'
  protected readonly close = '}'

  protected element(): string | null | undefined {
    const string = this.take(/"(?:[^"\\]|\\.)*"/sy)
    if (string !== undefined) return unescaped(string.slice(1, -1))
    const word = this.take(/(?:[^\s",{}\\]|\\.)(?:(?:[^",{}\\]|\\.)*(?:[^\s",{}\\]|\\.))?/sy)
    return word !== undefined && /^null$/i.test(word) ? null : word && unescaped(word)
  }
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gs, '$1')

/** The value of one element, in the text that PostgreSQL reads. */
class ElementText implements RowWriter {
  value = ''
  readonly #instants: boolean

  constructor(instants: boolean) {
    this.#instants = instants
  }

  startRow(): void {}
  endRow(): void {}
  dropRow(): void {}
  null(): void {}
  boolean(value: boolean): void {
    this.value = value ? 'true' : 'false'
  }
  integer(value: number): void {
    this.value = String(value)
  }
  bigint(high: number, low: number): void {
    this.value = String((BigInt(high) << 32n) | BigInt(low))
  }
  double(value: number): void {
    this.value = Object.is(value, -0) ? '-0' : String(value)
  }
  numeric(bytes: Buffer, start: number, end: number): void {
    this.value = bytes.toString('latin1', start, end)
  }
  date(days: number): void {
    this.value = isoDate(days)
  }
  timestamp(days: number, micros: number): void {
    this.value = isoTimestamp(days, micros, this.#instants)
  }
  time(micros: number): void {
    this.value = isoTime(micros)
  }
  uuid(bytes: Buffer): void {
    this.value = bytes.toString('hex')
  }
  text(bytes: Buffer, start: number, end: number): void {
    this.value = bytes.toString('utf8', start, end)
  }
  bytea(bytes: Buffer, start: number, end: number): void {
    this.value = `\\x${bytes.toString('hex', start, end)}`
  }
  json(bytes: Buffer, start: number, end: number): void {
    this.text(bytes, start, end)
  }
  custom(text: string): void {
    this.value = text
  }
}
