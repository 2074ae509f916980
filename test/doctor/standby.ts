/** What a standby is to its primary: a session that takes the log, and says how far it has written it. */
import { once } from 'node:events'
import pg from 'pg'

/** The part of the driver that speaks the protocol, which its types leave out. */
interface Wire {
  sendCopyFromChunk(chunk: Buffer): void
}

export interface Standby extends AsyncDisposable {
  /** Begins to take the log from here on, and confirms all of it. */
  follow(): Promise<void>
}

export async function connectStandby(url: string): Promise<Standby> {
  const config = { connectionString: url, application_name: 'standby', replication: 'true' }
  const client = new pg.Client(config as pg.ClientConfig)
  client.on('error', () => undefined)
  await client.connect()
  const wire = (client as unknown as { readonly connection: Wire & NodeJS.EventEmitter }).connection
  return {
    follow: async () => {
      const { rows } = await client.query<{ xlogpos: string }>('IDENTIFY_SYSTEM')
      const at = rows[0]?.xlogpos ?? ''
      const began = once(wire, 'replicationStart')
      // It is answered with the log, for as long as the session lasts.
      client.query(`START_REPLICATION PHYSICAL ${at}`).catch(() => undefined)
      await began
      wire.sendCopyFromChunk(confirmation(at))
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** Written, flushed and applied up to here ("Standby status update" in "Streaming Replication Protocol"). */
function confirmation(at: string): Buffer {
  const [high = 0, low = 0] = at.split('/').map((part) => Number.parseInt(part, 16))
  const message = Buffer.alloc(34)
  message.write('r')
  for (let field = 0; field < 3; field++) {
    message.writeUInt32BE(high, 1 + 8 * field)
    message.writeUInt32BE(low, 5 + 8 * field)
  }
  return message
}
