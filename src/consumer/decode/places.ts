import type { Fault, Reject } from '../../core/fault.ts'
import type { Model } from '../../model/model.ts'
import { cut, rawOf } from './decoded.ts'
import { messageName } from './identity.ts'
import type { Keeping } from './keeping.ts'
import { spanInObject } from './span.ts'

/** Where the records of a message are. */
export class Places {
  readonly #body: Buffer
  readonly #key: string
  readonly #model: Model
  readonly #keeping: Keeping | undefined
  /** The first record has no arrays, because most messages have no other. */
  #count = 0
  #firstStart = 0
  #firstEnd = 0
  #starts: number[] | undefined
  #ends: number[] | undefined
  /** Lines are counted from where one was asked for last. */
  #lineStart = 0
  #line = 1

  constructor(body: Buffer, key: string, model: Model, keeping: Keeping | undefined) {
    this.#body = body
    this.#key = key
    this.#model = model
    this.#keeping = keeping
  }

  get count(): number {
    return this.#count
  }

  add(start: number, end: number): void {
    if (this.#count++ === 0) {
      this.#firstStart = start
      this.#firstEnd = end
      return
    }
    ;(this.#starts ??= []).push(start)
    ;(this.#ends ??= []).push(end)
  }

  /** `record` is 0-based. */
  describe(record: number, fault: Fault): Reject {
    const start = record === 0 ? this.#firstStart : (this.#starts?.[record - 1] as number)
    const end = record === 0 ? this.#firstEnd : (this.#ends?.[record - 1] as number)
    const keeping = this.#keeping
    const raw =
      keeping === undefined ? rawOf(this.#body, start, end) : cut(keeping.object(this.#body, start, end))
    return {
      ...fault,
      span: spanInObject(raw, fault, this.#model, keeping !== undefined),
      record: record + 1,
      line: this.#lineAt(start),
      byte: start,
      source: messageName(this.#key),
      raw,
      masked: keeping?.maskedFields ?? [],
    }
  }

  #lineAt(at: number): number {
    if (at < this.#lineStart) {
      this.#lineStart = 0
      this.#line = 1
    }
    for (
      let lf = this.#body.indexOf(10, this.#lineStart);
      lf >= 0 && lf < at;
      lf = this.#body.indexOf(10, this.#lineStart)
    ) {
      this.#lineStart = lf + 1
      this.#line++
    }
    return this.#line
  }
}
