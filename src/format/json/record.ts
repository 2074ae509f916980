/** One object as a person sees, corrects and exports it. */
import { cr, lf } from '../../core/bytes.ts'
import type { Span } from '../../core/fault.ts'
import { fieldPath, pathText } from '../../core/path.ts'
import type { FieldValue, RecordText } from '../format.ts'
import { backslash, closeBrace, comma, kinds, nameAt, openBrace, quote, Scanner } from './scan.ts'
import { unescape } from './text.ts'

const space = 0x20

export const jsonRecord: RecordText = {
  suffix: () => '.ndjson',

  locate: (record, _, field) => {
    let own: Span | undefined
    let inside: Span | undefined
    rewriteObject(record, [field], (name, { start, end, depth }) => {
      if (name !== field) return undefined
      if (depth === 1) own ??= { start, end }
      else inside ??= { start, end }
      return undefined
    })
    return own ?? inside
  },

  rewrite: (record, _, replace, fields = []) =>
    rewriteObject(record, fields, (field, member) => {
      const text = replace(field, valueOf(member))
      return text === undefined ? undefined : JSON.stringify(text)
    }),

  trimmed: (text) =>
    Buffer.from(text.toString('latin1').replace(/^[ \t\r\n]+|(?<![ \t\r\n])[ \t\r\n]+$/g, ''), 'latin1'),

  head: () => undefined,

  line: withoutLineEnds,
}

/**
 * On one line: between members line ends are space. In a string they are a fault of the record, which an
 * export must not hide, so they stay.
 */
function withoutLineEnds(record: Buffer): Buffer {
  const line = Buffer.from(record)
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]
    if (byte === quote) isQuoted = !isQuoted
    else if (isQuoted) {
      if (byte === backslash) at++
    } else if (byte === lf || byte === cr) line[at] = space
  }
  return line
}

/** The text of a string, or any other value as it stands. */
function valueOf({ bytes, start, end, kind, escaped }: MemberValue): FieldValue {
  if (kind !== kinds.string) {
    const simple = kind === kinds.null ? 'null' : 'text'
    return { kind: kind >= kinds.object ? 'nested' : simple, bytes: bytes.subarray(start, end) }
  }
  const text = escaped ? unescape(bytes, start + 1, end - 1) : bytes.subarray(start + 1, end - 1)
  return { kind: 'text', bytes: text }
}

/** A value of a member: `bytes[start, end)`. */
interface MemberValue {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** One of `kinds`. */
  readonly kind: number
  /** Of a string: it has escapes. */
  readonly escaped: boolean
  /** 1 for a member of the record itself. */
  readonly depth: number
}

type Replace = (field: string, value: MemberValue) => string | undefined

/** Objects on the way to a field, by the names of their members. */
interface Inside {
  /** The field itself, as it was asked for. */
  field?: string
  readonly members: Map<string, Inside>
}

function waysTo(fields: readonly string[]): Inside {
  const root: Inside = { members: new Map() }
  for (const field of fields) {
    let at = root
    for (const name of fieldPath(field) ?? []) {
      const next: Inside = at.members.get(name) ?? { members: new Map() }
      at.members.set(name, next)
      at = next
    }
    if (at !== root) at.field = field
  }
  return root
}

/**
 * The object that fills `bytes`, its members' values replaced by the JSON that `replace` returns, or kept
 * where it returns undefined. Objects on the way to one of the fields are gone into, and their members
 * replaced. Undefined where the bytes are no object.
 */
function rewriteObject(bytes: Buffer, fields: readonly string[], replace: Replace): Buffer | undefined {
  const rewriter = new Rewriter(bytes, fields, replace)
  return bytes[0] === openBrace && rewriter.object(0, [], waysTo(fields)) === bytes.length
    ? rewriter.result()
    : undefined
}

class Rewriter {
  readonly #bytes: Buffer
  readonly #fields: ReadonlySet<string>
  readonly #replace: Replace
  readonly #scan = new Scanner()
  readonly #pieces: Buffer[] = []
  #copied = 0

  constructor(bytes: Buffer, fields: readonly string[], replace: Replace) {
    this.#bytes = bytes
    this.#fields = new Set(fields)
    this.#replace = replace
    this.#scan.bytes = bytes
    this.#scan.end = bytes.length
  }

  result(): Buffer {
    return Buffer.concat([...this.#pieces, this.#bytes.subarray(this.#copied)])
  }

  /** The index after the object that begins at `open` at the end of a path, or -1. */
  object(open: number, path: readonly string[], inside: Inside): number {
    const [scan, bytes] = [this.#scan, this.#bytes]
    let at = scan.space(open + 1)
    if (bytes[at] === closeBrace) return at + 1
    for (;;) {
      const nameEnd = scan.string(at) - 1
      if (nameEnd < 0) return -1
      const name = Buffer.from(nameAt(bytes, at + 1, nameEnd, scan.escaped), 'latin1').toString('utf8')
      const start = scan.colon(nameEnd + 1)
      const end = start < 0 ? -1 : this.#member(start, [...path, name], inside.members.get(name))
      if (end < 0) return -1
      at = scan.space(end)
      if (bytes[at] === closeBrace) return at + 1
      if (bytes[at] !== comma) return -1
      at = scan.space(at + 1)
    }
  }

  #member(start: number, path: readonly string[], inside: Inside | undefined): number {
    const [scan, bytes] = [this.#scan, this.#bytes]
    const depth = path.length
    const [own] = depth === 1 && (inside === undefined || this.#fields.has(path[0] as string)) ? path : []
    const field = own ?? inside?.field
    if (field === undefined && inside !== undefined && bytes[start] === openBrace)
      return this.object(start, path, inside)
    const end = scan.value(start, 2, false)
    if (end < 0) return -1
    const { kind, escaped } = scan
    const other = this.#replace(field ?? pathText(path), { bytes, start, end, kind, escaped, depth })
    if (other !== undefined) {
      this.#pieces.push(bytes.subarray(this.#copied, start), Buffer.from(other))
      this.#copied = end
    }
    return end
  }
}
