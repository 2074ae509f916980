/** The Python programs in bench/python as commands, with pika and psycopg2. */
import { join } from 'node:path'
import type { RabbitServer } from '../tooling/servers/rabbitmq.ts'
import { type Command, type Cost, measure } from './process.ts'
import type { Program } from './programs.ts'
import { deleteQueue, freshQueue } from './rabbit.ts'
import type { Way } from './rounds.ts'

export interface Python {
  readonly program: Program
  readonly rabbit: RabbitServer
}

export function pythonCommand(
  { program }: Python,
  role: string,
  script: string,
  args: readonly string[],
): Command {
  return { role, program: program.path, args: [join(import.meta.dirname, 'python', script), ...args] }
}

export interface PipelineOptions {
  readonly name: string
  readonly consumers: number
  readonly producer: string
  readonly consumer: string
  readonly folder: string
  /** What the consumer takes after broker, queue, database and the mark of the producer's end. */
  readonly more: readonly string[]
  readonly target: string
  readonly records?: number
}

/** A producer and consumers beside each other, on a durable classic queue, which is what they declare. */
export function pipelineWay(python: Python, options: PipelineOptions): Way {
  const { name, records } = options
  return {
    name,
    isLading: false,
    ...(records === undefined ? {} : { records }),
    run: (folder) => runPipeline(python, options, folder),
  }
}

async function runPipeline(python: Python, options: PipelineOptions, folder: string): Promise<Cost> {
  const { rabbit } = python
  const queue = freshQueue(rabbit)
  const done = join(folder, 'done')
  const producer = pythonCommand(python, 'producer', options.producer, [
    rabbit.url,
    queue.name,
    options.folder,
    done,
  ])
  const args = [rabbit.url, queue.name, options.target, done, ...options.more]
  const consumers = Array.from({ length: options.consumers }, () =>
    pythonCommand(python, 'consumer', options.consumer, args),
  )
  try {
    return await measure([producer, ...consumers], folder)
  } finally {
    await deleteQueue(rabbit, queue)
  }
}
