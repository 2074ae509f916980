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
export async function copy(
  client: pg.Client,
  sql: string,
  ...data: readonly (readonly Buffer[])[]
): Promise<readonly number[]> {
  const query = new CopyQuery(sql, data)
  client.query(query)
  await query.ended
  return query.counts
}

/** What the driver calls when it is this query's turn, and for each answer. */
abstract class OwnQuery implements pg.Submittable {
  protected readonly sql: string
  readonly #ended = Promise.withResolvers<void>()
  /** When the server is ready for the next query. */
  readonly ended = this.#ended.promise

  constructor(sql: string) {
    this.sql = sql
  }

  submit(connection: pg.Connection): void {
    connection.query(this.sql)
  }

  handleReadyForQuery(): void {
    this.#ended.resolve()
  }

  handleError(error: Error): void {
    this.#ended.reject(error)
  }

  abstract handleCommandComplete(answer: { readonly text: string }): void
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

class CopyQuery extends OwnQuery {
  readonly #data: readonly (readonly Buffer[])[]
  readonly counts: number[] = []

  constructor(sql: string, data: readonly (readonly Buffer[])[]) {
    super(sql)
    this.#data = data
  }

  override submit(connection: pg.Connection): void {
    const { stream } = connection
    // Corked, so that everything goes to the system in one call.
    stream.cork()
    connection.query(this.sql)
    for (const parts of this.#data) {
      for (const part of parts) writePieces(stream, part)
      stream.write(copyDone)
    }
    stream.uncork()
  }

  override handleCommandComplete({ text }: { readonly text: string }): void {
    this.counts.push(Number(/\d+$/.exec(text)?.[0] ?? 0))
  }

  handleCopyInResponse(): void {}
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
export async function copyOut(
  client: pg.Client,
  sql: string,
  onRow: (fields: readonly (Buffer | undefined)[]) => void,
): Promise<void> {
  const query = new CopyOutQuery(sql, onRow)
  client.query(query)
  await query.ended
}

/** Of the signature, the flags and an extension, whose length the last four of them state. */
const headBytes = 19

/** Each message holds one row ("COPY Operations"); the head comes with the first. */
class CopyOutQuery extends OwnQuery {
  readonly #onRow: (fields: readonly (Buffer | undefined)[]) => void
  #isFirst = true

  constructor(sql: string, onRow: (fields: readonly (Buffer | undefined)[]) => void) {
    super(sql)
    this.#onRow = onRow
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    let at = this.#isFirst ? headBytes + chunk.readInt32BE(headBytes - 4) : 0
    this.#isFirst = false
    // v8 ignore next -- PostgreSQL sends the head with the first row, and nothing says that all servers must
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

  override handleCommandComplete(): void {}
}
