import { existsSync } from 'node:fs'
import { LadingError } from '../../core/errors.ts'
import type { OpenOptions, Queue } from '../queue.ts'
import { parseEmbedded } from './address.ts'
import { EmbeddedQueue } from './embedded.ts'

export async function openEmbeddedQueue(url: string, options: OpenOptions): Promise<Queue> {
  const { path, leaseMs } = parseEmbedded(url.slice(url.indexOf(':') + 1))
  if (options.create === false && !existsSync(path))
    throw new LadingError('QUEUE_MISSING', `there is no queue ${path}`)
  return new EmbeddedQueue(path, { leaseMs })
}
