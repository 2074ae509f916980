/**
 * A proxy in front of a broker that sees the frames of AMQP 0-9-1, so that a test decides which of them
 * arrive, and when: what a broker does at its own pace, at a moment that the test knows.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Frame {
  readonly from: 'client' | 'broker'
  /** Number of the connection, from 0. */
  readonly connection: number
  readonly channel: number
  /** Class and method, such as `60.120`; empty for a heartbeat, a header or a body. */
  readonly method: string
}

export const methods = { queueDeclareOk: '50.11', basicNack: '60.120' } as const

/** What becomes of a frame. What is kept goes on, in its order, with `release`. */
export type Fate = 'pass' | 'drop' | 'keep'

export interface FrameProxy extends AsyncDisposable {
  readonly url: string
  release(): void
}

const methodType = 1
/** The client's first words are no frame. */
const greetingBytes = 8

export async function startFrameProxy(url: string, decide: (frame: Frame) => Fate): Promise<FrameProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let kept: (() => void)[] = []
  let connections = 0
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const connection = connections++
    const relay = (from: Frame['from'], source: Socket, sink: Socket) => {
      const frames = new Frames(from === 'client' ? greetingBytes : 0, connection, from)
      source.on('data', (data) => {
        for (const [frame, bytes] of frames.read(data)) {
          const fate = frame === undefined ? 'pass' : decide(frame)
          if (fate === 'pass') sink.write(bytes)
          else if (fate === 'keep') kept.push(() => sink.write(bytes))
        }
      })
      source.on('error', () => sink.destroy()).on('close', () => sink.destroy())
      sockets.add(source)
    }
    relay('client', client, upstream)
    relay('broker', upstream, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    release: () => {
      const now = kept
      kept = []
      for (const send of now) send()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Bytes as they come → whole frames: type, channel and size in 7 bytes, the payload, and a mark in 1. */
class Frames {
  #rest: Buffer = Buffer.alloc(0)
  #greeting: number
  readonly #connection: number
  readonly #from: Frame['from']

  constructor(greeting: number, connection: number, from: Frame['from']) {
    this.#greeting = greeting
    this.#connection = connection
    this.#from = from
  }

  *read(data: Buffer): Generator<[Frame | undefined, Buffer]> {
    this.#rest = Buffer.concat([this.#rest, data])
    for (;;) {
      const size =
        this.#greeting > 0
          ? this.#greeting
          : this.#rest.length < 7
            ? Number.POSITIVE_INFINITY
            : this.#rest.readUInt32BE(3) + 8
      if (this.#rest.length < size) return
      const bytes = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(size)
      if (this.#greeting > 0) yield [undefined, bytes]
      else yield [this.#frameOf(bytes), bytes]
      this.#greeting = 0
    }
  }

  #frameOf(bytes: Buffer): Frame {
    const type = bytes[0]
    const method = type === methodType ? `${bytes.readUInt16BE(7)}.${bytes.readUInt16BE(9)}` : ''
    return { from: this.#from, connection: this.#connection, channel: bytes.readUInt16BE(1), method }
  }
}
