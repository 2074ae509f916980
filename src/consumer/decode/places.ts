/** Where the records of a chunk or message stand in their source; looked for only when one is refused. */
import { lf } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { type Fault, maxRawBytes, type Reject } from '../../core/fault.ts'
import type { Records } from './records.ts'

/** Where a body begins in its source. */
export interface BodyStart {
  /** Name of the source, as a person knows it. */
  readonly source: string
  /** 1-based number of its first record, and of the physical line. */
  readonly firstRecord: number
  readonly firstLine: number
  /** 0-based byte offset. */
  readonly byteStart: number
}

interface Place {
  /** Where the record begins in the body. */
  readonly start: number
  readonly text: Buffer
}

export class Places {
  readonly #records: Records
  readonly #body: Buffer
  readonly #start: BodyStart
  /** All of them, once one had to be found. */
  #found: readonly Place[] | undefined
  /** Lines are counted from where one was asked for last. */
  #lineStart = 0
  #line = 0

  constructor(records: Records, body: Buffer, start: BodyStart) {
    this.#records = records
    this.#body = body
    this.#start = start
  }

  /** The record, 0-based in the body, with a fault that was found after it was read. */
  describe(record: number, fault: Fault): Reject {
    this.#found ??= this.#read()
    const place = this.#found[record]
    // v8 ignore next -- a sink names rows that it was given
    if (place === undefined) throw new LadingError('INTERNAL', `a part has no record ${record}`)
    return this.#reject(record, place, fault)
  }

  /** The record, 0-based in the body, on which the reader stands. */
  reject(record: number, fault: Fault): Reject {
    return this.#reject(record, this.#here(), fault)
  }

  /** Where the reader stands, as a person finds it. */
  name(): string {
    const { source, firstLine } = this.#start
    return `${source}:${firstLine + this.#linesBefore(this.#here().start)}`
  }

  /** Where the reader stands. */
  #here(): Place {
    const { recordStart, recordEnd, text } = this.#records.reader
    return { start: recordStart, text: text ?? this.#body.subarray(recordStart, recordEnd) }
  }

  #reject(record: number, { start, text }: Place, fault: Fault): Reject {
    const { source, firstRecord, firstLine, byteStart } = this.#start
    const { keeping, layout } = this.#records
    // A copy, so that it does not keep the whole body in memory.
    const raw =
      keeping === undefined
        ? Buffer.from(text.subarray(0, maxRawBytes))
        : keeping.record(text, layout).subarray(0, maxRawBytes)
    return {
      ...this.#records.placed(raw, fault, keeping !== undefined),
      record: firstRecord + record,
      line: firstLine + this.#linesBefore(start),
      byte: byteStart + start,
      source,
      raw,
      masked: keeping?.maskedFields ?? [],
    }
  }

  #read(): readonly Place[] {
    const { reader } = this.#records
    const places: Place[] = []
    for (reader.open(this.#body); reader.next();) places.push(this.#here())
    return places
  }

  #linesBefore(at: number): number {
    if (at < this.#lineStart) {
      this.#lineStart = 0
      this.#line = 0
    }
    for (;;) {
      const end = this.#body.indexOf(lf, this.#lineStart)
      if (end < 0 || end >= at) return this.#line
      this.#lineStart = end + 1
      this.#line++
    }
  }
}
