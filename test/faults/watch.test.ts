/** Watchers that are killed at any moment, while files arrive. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Folder } from '../cli/run.ts'
import { Fixture } from '../support/fixture.ts'

const model = join(import.meta.dirname, '../support/model.ts')

interface Arrival {
  readonly records: number
  /** Milliseconds until the next thing happens. */
  readonly pause: number
  readonly isKilled: boolean
  /** Under its last name from the beginning, or renamed to it. */
  readonly isRenamed: boolean
}

const arrivals = fc.array(
  fc.record<Arrival>({
    records: fc.integer({ min: 1, max: 4_000 }),
    pause: fc.integer({ min: 0, max: 2_500 }),
    isKilled: fc.boolean(),
    isRenamed: fc.boolean(),
  }),
  { minLength: 3, maxLength: 5 },
)

it.for(['sqlite', 'postgres'] as const)(
  'any order of arrivals and kills gives the rows of the files once, and moves each file that was loaded: %s',
  { timeout: 120_000 },
  async (kind) => {
    const isRight = async (all: readonly Arrival[]) => {
      await using fixture = await Fixture.open(kind)
      await using folder = await Folder.make({ 'in/.keep': '' })
      const inbox = folder.at('in')
      let said: string[] = []
      const start = () => {
        said = []
        const started = folder.start([
          'load',
          'in',
          '--watch',
          '--settle',
          '0.3',
          '--done',
          'move:done',
          '--json',
          '--model',
          model,
          '--to',
          fixture.target.url,
          '--queue',
          `embedded:${folder.at('queue.db')}?lease=1`,
          '--chunk-bytes',
          '2000',
          '--batch-messages',
          '3',
        ])
        started.stdout.on('data', (text) => void said.push(String(text)))
        started.stderr.on('data', (text) => void said.push(String(text)))
        return started
      }
      let watcher: ChildProcess = start()
      const kill = async (signal: 'SIGKILL' | 'SIGTERM') => {
        const ended = once(watcher, 'close')
        watcher.kill(signal)
        return (await ended) as [number | null]
      }
      for (const { records, pause, isKilled, isRenamed } of all) {
        const path = await fixture.file(records)
        const name = path.slice(fixture.folder.length + 1)
        if (isRenamed) await rename(path, join(inbox, name))
        else await folder.write(`in/${name}`, await readFile(path))
        await delay(pause)
        if (!isKilled) continue
        await kill('SIGKILL')
        watcher = start()
      }
      // A process that was just started does not hear a signal yet.
      const isUp = () => said.some((text) => text.includes('watching in'))
      while (!isUp() || (await readdir(inbox)).some((name) => name !== '.keep')) {
        expect([watcher.exitCode, said.filter((text) => /"outcome":"re/.test(text))]).toEqual([null, []])
        await delay(50)
      }
      expect(await kill('SIGTERM')).toEqual([0, null])
      await fixture.expectAllOnce()
      expect(await readdir(folder.at('done'))).toHaveLength(all.length)
    }
    await fc.assert(fc.asyncProperty(arrivals, isRight), { numRuns: 1, endOnFailure: true })
  },
)
