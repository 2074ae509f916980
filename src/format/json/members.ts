import { closeBrace, comma, nameAt, openBrace, type Scanner } from './scan.ts'

/** A member of an object: its name begins at `nameStart`, and its value is `bytes[start, end)`. */
export interface Member {
  readonly nameStart: number
  readonly start: number
  readonly end: number
  /** One of `kinds`. */
  readonly kind: number
}

/** The members of a sound object by their names; none where the value is no object. */
export function membersOf(scan: Scanner, open: number): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>()
  const { bytes } = scan
  if (bytes[open] !== openBrace) return members
  let at = scan.space(open + 1)
  while (bytes[at] !== closeBrace) {
    const nameStart = at
    const nameEnd = scan.string(at) - 1
    const name = Buffer.from(nameAt(bytes, at + 1, nameEnd, scan.escaped), 'latin1').toString('utf8')
    const start = scan.colon(nameEnd + 1)
    const end = scan.value(start, 2, false)
    members.set(name, { nameStart, start, end, kind: scan.kind })
    at = scan.space(end)
    if (bytes[at] === comma) at = scan.space(at + 1)
  }
  return members
}
