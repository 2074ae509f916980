/** A process that produces one file. */
import { produce } from '../../src/producer/produce.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { numbers } from '../support/model.ts'

const [path = '', folder = ''] = process.argv.slice(2)
await using queue = await openQueue(`embedded:${folder}/queue.db`)
const [load] = await produce({ paths: [path], model: numbers, queue, statePath: `${folder}/producer.db` })
process.stdout.write(JSON.stringify({ records: load?.records, published: load?.published }))
