/** Login events that wait in a queue of SQS, on a server of this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { logins } from '../../src/generate/logins.ts'
import { sha256 } from '../../src/model/mask.ts'
import { userLogins } from '../../src/model/shipped/user-logins.ts'
import { type Context, measurable } from '../context.ts'
import { Filling } from '../filled.ts'
import { consumeCommand } from '../lading.ts'
import { resetTable, tableState } from '../postgres.ts'
import { type Command, measure } from '../process.ts'
import { whole } from '../report.ts'
import type { Server, Table, Way } from '../rounds.ts'
import type { Section } from './section.ts'

const model = userLogins({ mask: sha256() })
/** Without those that the time, or the id that a consumer chose, decides. */
const columns = 'user_id, device_type, masked_ip, masked_device_id, locale, app_version, app_version_full'
/** Nobody checks it, and nobody is asked for another. */
const environment = {
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
}

export const sqs: Section = {
  name: 'sqs',
  heading: 'Login events from SQS',
  about: `JSON events wait in a queue of a local SQS server (\`fauxqs\`) in a process of its own. Without a network between, a
call costs little here. \`sqs-consumer\` takes batches of ten and inserts each with one statement. It ends after as many messages
as there are. Lading ends when the queue reports that nothing is left.`,
  records: 50_000,
  sensors: [],
  tables: async (context, { records }) => {
    Object.assign(process.env, environment)
    const server = await context.postgres()
    const { url: queue, process: sqsProcess } = await startServer(context)
    const { url } = server
    const filling = new Filling()
    const fill = async () => {
      await freshQueue(queue)
      await filling.fill(queue, loginMessages(records))
    }
    const way = (name: string, isLading: boolean, command: Command): Way => ({
      name,
      isLading,
      prepare: fill,
      run: (folder) => measure([command], folder),
    })
    const lading = (...more: string[]) =>
      consumeCommand({ model: 'user_logins', target: url, queue }, ...more)
    const peer = (consumers: number): Command => {
      const program = join(import.meta.dirname, '..', 'programs', 'sqs-inserts.ts')
      return {
        role: 'consumer',
        program: process.execPath,
        args: [program, queue, url, String(consumers), String(records)],
      }
    }
    const table: Table = {
      title: `${whole(records)} login events from SQS`,
      unit: 'messages',
      records,
      ways: [
        way('`sqs-consumer`, INSERT of ten', false, peer(1)),
        way('`sqs-consumer`, INSERT of ten, four in one process', false, peer(4)),
        way('`lading consume`', true, lading()),
        way('`lading consume --concurrency 2`', true, lading('--concurrency', '2')),
      ],
      servers: [...measurable(['PostgreSQL', server]), sqsProcess],
      reset: () => resetTable(url, model),
      state: () => tableState(url, model, columns),
      notes: () => filling.note(),
    }
    return [table]
  },
}

/** In a process of its own, so that its time is nobody else's. */
async function startServer(context: Context): Promise<{ readonly url: string; readonly process: Server }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'programs', 'sqs-server.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  context.use(async () => {
    child.stdin.end()
    if (child.exitCode === null) await once(child, 'exit')
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  context.versions['fauxqs'] = versionOf('fauxqs')
  context.versions['sqs-consumer'] = versionOf('sqs-consumer')
  return { url: line.toString().trim(), process: { name: 'SQS', pid: () => pidOf(child) } }
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the server of SQS has not started')
  return pid
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '..', '..', 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

async function freshQueue(url: string): Promise<void> {
  const client = new SQSClient({ endpoint: new URL(url).origin })
  await client.send(new DeleteQueueCommand({ QueueUrl: url })).catch(() => undefined)
  await client.send(new CreateQueueCommand({ QueueName: url.slice(url.lastIndexOf('/') + 1) }))
  client.destroy()
}

function* loginMessages(count: number) {
  for (const { key, body } of logins({ count, seed: 42 })) yield { key, body: Buffer.from(body), headers: {} }
}
