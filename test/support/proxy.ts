/** A TCP proxy in front of a server, which does to a connection what networks do. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Looked up for each piece of data, so that they may change while connections are open. */
export interface Faults {
  /** Resets a connection when this many bytes have gone through it, both ways together. */
  readonly resetAfter?: () => number | undefined
  /**
   * Asked for what the client sends: true swallows everything that the server says from then on and then cuts
   * the connection.
   */
  readonly swallowReply?: (sent: Buffer) => boolean
  /**
   * Asked for what the client sends: true keeps the end of it back, and everything that either side says from
   * then on.
   */
  readonly stopWithin?: (sent: Buffer) => boolean
  /** Milliseconds that a narrow line needs for as much as is read at once, 64 KiB at most. */
  readonly slowMs?: number
  /** Passes what was read in pieces of so many bytes, each by itself. */
  readonly sliceBytes?: number
}

export interface Proxy extends AsyncDisposable {
  /** The url with the proxy in place of its server. */
  readonly url: string
  /** Takes bytes and passes none on, in either direction. */
  blackHole(on: boolean): void
  /**
   * As a router that has forgotten its connections: those that are open pass nothing on for ever, new ones
   * work.
   */
  forget(): void
  /** Resets every connection. */
  reset(): void
}

export async function startProxy(url: string, faults: Faults = {}): Promise<Proxy> {
  const target = new URL(url)
  const pairs = new Set<Pair>()
  let hole = false
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const pair = new Pair(client, upstream, faults, () => hole)
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  const reset = () => pairs.forEach((pair) => pair.reset())
  return {
    url: through.href,
    blackHole: (on) => {
      hole = on
      for (const pair of pairs) pair.pause(on)
    },
    forget: () => pairs.forEach((pair) => pair.pause(true)),
    reset,
    [Symbol.asyncDispose]: async () => {
      reset()
      server.close()
      await once(server, 'close')
    },
  }
}

class Pair {
  readonly #client: Socket
  readonly #upstream: Socket
  #bytes = 0
  #swallowing = false
  #isPaused = false

  constructor(client: Socket, upstream: Socket, faults: Faults, hole: () => boolean) {
    this.#client = client
    this.#upstream = upstream
    const limit = faults.resetAfter?.() ?? Number.POSITIVE_INFINITY
    for (const socket of [client, upstream])
      socket.on('error', () => this.reset()).on('close', () => this.reset())
    client.on('data', (data) => {
      if (faults.swallowReply?.(data) === true) this.#swallowing = true
      if (faults.stopWithin?.(data) === true) {
        upstream.write(data.subarray(0, -10))
        return this.pause(true)
      }
      if (faults.sliceBytes !== undefined) return void this.#slice(data, upstream, faults.sliceBytes)
      this.#pass(data, upstream, limit)
      if (faults.slowMs === undefined) return
      client.pause()
      setTimeout(() => client.resume(), faults.slowMs)
    })
    upstream.on('data', (data) => {
      // The answer is proof that the server has done what it was asked; nobody else learns of it.
      if (this.#swallowing) this.reset()
      else if (faults.sliceBytes !== undefined) void this.#slice(data, client, faults.sliceBytes)
      else this.#pass(data, client, limit)
    })
    if (hole()) this.pause(true)
  }

  #pass(data: Buffer, to: Socket, limit: number): void {
    const room = limit - this.#bytes
    this.#bytes += data.length
    if (data.length < room) to.write(data)
    else to.write(data.subarray(0, Math.max(room, 0)), () => this.reset())
  }

  async #slice(data: Buffer, to: Socket, bytes: number): Promise<void> {
    const from = to === this.#client ? this.#upstream : this.#client
    from.pause()
    for (let at = 0; at < data.length && to.writable; at += bytes) {
      to.write(data.subarray(at, at + bytes))
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!this.#isPaused) from.resume()
  }

  pause(on: boolean): void {
    this.#isPaused = on
    for (const socket of [this.#client, this.#upstream]) {
      if (on) socket.pause()
      else socket.resume()
    }
  }

  reset(): void {
    // One that has said goodbye is past a reset.
    if (this.#client.writableEnded) this.#client.destroy()
    else this.#client.resetAndDestroy()
    this.#upstream.destroy()
  }
}
