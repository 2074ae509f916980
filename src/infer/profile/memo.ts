/**
 * Values of a column that were looked at before, and their shapes. The facts of a column do not change when a
 * value comes again. Some are forgotten, so memory is bounded.
 */
const slots = 128
const mostBytes = 24

/** A column whose values do not come again is not worth the effort. */
const mostMisses = 2000

export class Memo {
  #misses = 0
  readonly #bytes = new Uint8Array(slots * mostBytes)
  readonly #view = new DataView(this.#bytes.buffer)
  /** Length and quoting of each value; 0 where there is none. */
  readonly #keys = new Uint8Array(slots)
  readonly #shapes = new Int32Array(slots)

  /** The shapes of the value; 0 where it is not remembered. */
  find(bytes: Buffer, view: DataView, start: number, end: number, quoting: number): number {
    const length = end - start
    if (length > mostBytes || this.#misses >= mostMisses) return 0
    const slot = slotOf(bytes, view, start, end)
    if (this.#keys[slot] !== length * 2 + quoting) return 0
    let at = slot * mostBytes
    let next = start
    for (; next + 4 <= end; next += 4, at += 4)
      if (view.getInt32(next, true) !== this.#view.getInt32(at, true)) return 0
    for (; next < end; next++, at++) if (bytes[next] !== this.#bytes[at]) return 0
    if (this.#misses > 0) this.#misses--
    return this.#shapes[slot] as number
  }

  add(bytes: Buffer, view: DataView, start: number, end: number, quoting: number, shapes: number): void {
    const length = end - start
    if (length > mostBytes || this.#misses >= mostMisses) return
    this.#misses++
    const slot = slotOf(bytes, view, start, end)
    for (let at = 0; at < length; at++) this.#bytes[slot * mostBytes + at] = bytes[start + at] as number
    this.#keys[slot] = length * 2 + quoting
    this.#shapes[slot] = shapes
  }
}

function slotOf(bytes: Buffer, view: DataView, start: number, end: number): number {
  const length = end - start
  const first = length >= 4 ? view.getInt32(start, true) : (bytes[start] as number)
  const last =
    length >= 4
      ? view.getInt32(end - 4, true)
      : ((bytes[end - 1] as number) << 8) | (bytes[start + (length >> 1)] as number)
  const hash = Math.imul(first, 0x9e_37_79_b1) ^ Math.imul(last, 0x85_eb_ca_6b) ^ length
  return Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d) >>> 25
}
