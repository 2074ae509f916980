/** Where the database is not the limit: six columns that lading masks itself. */
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { measurable } from '../context.ts'
import type { Size } from '../data.ts'
import { ladingCommand, loadWays, stateOf } from '../lading.ts'
import { maskedPeople } from '../models/masked.ts'
import { userModel } from '../models.ts'
import { resetTable, tableState } from '../postgres.ts'
import { measure } from '../process.ts'
import type { Table, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

export const scaling: Section = {
  name: 'scaling',
  heading: 'More consumers, where the database is not the limit',
  about: `Six columns are masked with HMAC-SHA-256, which is the consumers' own work. \`lading load --consumers 1\` is one process that
plans, queues and consumes; \`--consumers 2\` adds two. The ways with \`lading consume\` start with a full queue, so their ratio is that of
consumers only. The server shares the cores.`,
  records: 200_000,
  sensors: [20],
  tables: async (context, size) => {
    const server = await context.postgres()
    const { url } = server
    const { options, temporary } = context
    const { consumers } = options
    const data = await writePeople(temporary, size)
    const model = userModel('masked', temporary)
    const ways = [
      ...loadWays({ data, model, target: url, consumers }),
      ...consumers.map((count) => consumeWay(count, data, model, url)),
    ]
    const table: Table = {
      title: `${filesOf(size)} with six masked columns`,
      unit: 'rows',
      records: size.records,
      ways,
      servers: measurable(['PostgreSQL', server]),
      reset: () => resetTable(url, maskedPeople),
      state: () => tableState(url, maskedPeople),
    }
    return [table]
  },
}

/** Consumer processes alone, after the producer, which is not timed. */
function consumeWay(count: number, data: string, model: string, target: string): Way {
  const queue = (folder: string) => ['--queue', `embedded:${join(folder, 'queue.db')}`]
  return {
    name: `\`lading consume\`, ${count === 1 ? 'one process' : `${count} processes`}`,
    isLading: true,
    prepare: async (folder) => {
      await measure(
        [
          ladingCommand('producer', [
            'produce',
            data,
            '--model',
            model,
            ...queue(folder),
            ...stateOf(folder),
          ]),
        ],
        folder,
      )
    },
    run: (folder) => {
      const args = ['consume', '--until-empty', '--model', model, '--to', target, ...queue(folder)]
      return measure(
        Array.from({ length: count }, () => ladingCommand('consumer', args)),
        folder,
      )
    },
  }
}

async function writePeople(temporary: string, { records, sensors }: Size): Promise<string> {
  const folder = join(temporary, 'people')
  mkdirSync(folder, { recursive: true })
  const each = records / sensors
  if (!Number.isInteger(each)) throw new Error(`${records} records are no multiple of ${sensors} files`)
  for (let file = 0; file < sensors; file++) {
    const lines = Readable.from(peopleLines(file * each + 1, each))
    await pipeline(lines, createWriteStream(join(folder, `${file}.csv`)))
  }
  return folder
}

function* peopleLines(first: number, count: number) {
  yield 'id,name,email,phone,address,device,ip\n'
  for (let id = first; id < first + count; id++) {
    const [street, device] = [id % 997, String(Math.imul(id, 2_654_435_761) >>> 0)]
    const ip = [10, (id >> 16) & 255, (id >> 8) & 255, id & 255].join('.')
    yield `${id},Person Number ${id},person.${id}@example.com,+1 555 ${String(id).padStart(7, '0')},${street} Main Street,${device},${ip}\n`
  }
}
