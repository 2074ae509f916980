import { join } from 'node:path'
import { measure } from './process.ts'
import type { Way } from './rounds.ts'

const root = join(import.meta.dirname, '..')
export const ladingProgram = join(root, 'bin', 'lading.js')

/** `lading load` as users run it, with a queue and a memory of its own for each run. */
export function ladingWays(data: string, model: string, target: string, consumers: readonly number[]): Way[] {
  return consumers.map((count) => ({
    name: `lading load --consumers ${count}`,
    run: (folder) => {
      const state = ['--queue', `embedded:${join(folder, 'queue.db')}`, '--state', join(folder, 'producer.db')]
      const args = ['load', data, '--model', model, '--to', target, '--consumers', String(count), '--quiet', ...state]
      return measure([[process.execPath, ladingProgram, ...args]], { cwd: folder })
    },
  }))
}
