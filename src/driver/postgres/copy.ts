/** Statements and the data of their COPYs in one round trip. */
import type { Writable } from 'node:stream'
import type pg from 'pg'

/**
 * Bytes of a CopyData message: the server begins to work on one when it has all of it, and each costs a call.
 */
const messageBytes = 128 * 1024

const copyData = 0x64
const copyDone = Buffer.from([0x63, 0, 0, 0, 4])

/**
 * Sends `sql` and the data of each `COPY … FROM STDIN` in it, in order, without waiting for answers in
 * between: if a statement fails, the server drops the data that follows (PostgreSQL documentation, "Message
 * Flow", "COPY Operations"). Returns how many rows each statement touched, by the server's own count.
 */
export function copy(
  client: pg.Client,
  sql: string,
  ...data: readonly (readonly Buffer[])[]
): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(sql, data, resolve, reject))
  })
}

/** What the driver calls when it is this query's turn, and for each answer. */
class CopyQuery implements pg.Submittable {
  readonly #sql: string
  readonly #data: readonly (readonly Buffer[])[]
  readonly #resolve: (counts: readonly number[]) => void
  readonly #reject: (error: Error) => void
  readonly #counts: number[] = []

  constructor(
    sql: string,
    data: readonly (readonly Buffer[])[],
    resolve: (counts: readonly number[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#sql = sql
    this.#data = data
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection
    // Corked, so that everything goes to the system in one call.
    stream.cork()
    connection.query(this.#sql)
    for (const parts of this.#data) {
      for (const part of parts) writePieces(stream, part)
      stream.write(copyDone)
    }
    stream.uncork()
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#counts.push(Number(/\d+$/.exec(text)?.[0] ?? 0))
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#counts)
  }

  handleError(error: Error): void {
    this.#reject(error)
  }

  handleCopyInResponse(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

function writePieces(stream: Writable, part: Buffer): void {
  for (let at = 0; at < part.length; at += messageBytes) {
    const piece = part.subarray(at, at + messageBytes)
    const header = Buffer.allocUnsafe(5)
    header[0] = copyData
    header.writeInt32BE(piece.length + 4, 1)
    stream.write(header)
    stream.write(piece)
  }
}

/**
 * Runs `sql`, whose last statement is a `COPY … TO STDOUT (FORMAT binary)`, and gives its rows to `onRow`, field by
 * field (undefined for NULL). Their memory is another row's when `onRow` has returned. The driver would read bytes as
 * text, at twice their size.
 */
export function copyOut(
  client: pg.Client,
  sql: string,
  onRow: (fields: readonly (Buffer | undefined)[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyOutQuery(sql, onRow, resolve, reject))
  })
}

/** Of the signature, the flags and an extension, whose length the last four of them state. */
const headBytes = 19

/** Each message holds one row ("COPY Operations"); the head comes with the first. */
class CopyOutQuery implements pg.Submittable {
  readonly #sql: string
  readonly #onRow: (fields: readonly (Buffer | undefined)[]) => void
  readonly #resolve: () => void
  readonly #reject: (error: Error) => void
  #isFirst = true

  constructor(
    sql: string,
    onRow: (fields: readonly (Buffer | undefined)[]) => void,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    this.#sql = sql
    this.#onRow = onRow
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#sql)
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    let at = this.#isFirst ? headBytes + chunk.readInt32BE(headBytes - 4) : 0
    this.#isFirst = false
    if (at >= chunk.length) return
    const count = chunk.readInt16BE(at)
    // -1 ends the rows.
    if (count < 0) return
    at += 2
    const fields: (Buffer | undefined)[] = []
    for (let n = 0; n < count; n++) {
      const length = chunk.readInt32BE(at)
      at += 4
      fields.push(length < 0 ? undefined : chunk.subarray(at, (at += length)))
    }
    this.#onRow(fields)
  }

  handleReadyForQuery(): void {
    this.#resolve()
  }

  handleError(error: Error): void {
    this.#reject(error)
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}
