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
