/** A TCP proxy that keeps each piece back for as long as a distance does, and counts how often the two sides took turns. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface DistantServer extends AsyncDisposable {
  readonly url: string
  /** Of the connection that had most: how often its client spoke after the server had. */
  readonly turns: () => number
}

export async function distant(url: string, roundTripMs: number): Promise<DistantServer> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const turns: (() => number)[] = []
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let count = 0
    let last: Socket | undefined
    turns.push(() => count)
    const pass = (from: Socket, to: Socket) => {
      sockets.add(from)
      from.setNoDelay(true)
      // Timers of one duration come in their order.
      const later = (work: () => void) => (roundTripMs === 0 ? work() : setTimeout(work, roundTripMs / 2))
      from.on('data', (data) => {
        if (from === client && last !== client) count++
        last = from
        later(() => to.writable && to.write(data))
      })
      from.on('end', () => later(() => to.end()))
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
    }
    pass(client, upstream)
    pass(upstream, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    turns: () => Math.max(0, ...turns.map((each) => each())),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
