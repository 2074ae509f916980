import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, records, type Run, library } from './run.ts'

/** Every process that uses it writes down that it began, that it is at work, and with which code it ended. */
const telling = `
import { appendFileSync } from 'node:fs'
import { defineModel } from '${library}'
import { text } from '${library}'
const tell = (file: string, more = '') => appendFileSync(file, process.pid + more + '\\n')
const slow = (value: string) => {
  tell('busy')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  return value
}
tell('begun')
process.on('exit', (code) => tell('ended', ' ' + code))
export default defineModel({ table: 'records', columns: { record_time: text(), sensor_id: text(), value: text().transform(slow) } })`

/** A process that leads a group of its own, of which nothing is left over when the test ends. */
class Group implements Disposable {
  readonly leader: ChildProcessWithoutNullStreams
  /** Settles when the leader and all that hold its standard error have ended. */
  readonly ended: Promise<Run>
  readonly #deadline = setTimeout(() => this.#kill(), 20_000)

  constructor(folder: Folder, ...args: string[]) {
    this.leader = folder.start(args, {}, true)
    this.leader.stdin.on('error', () => undefined)
    const closed = once(this.leader, 'close') as Promise<[number | null]>
    this.ended = Promise.all([text(this.leader.stdout), text(this.leader.stderr), closed]).then(
      ([out, err, [code]]) => ({
        code,
        out,
        err,
      }),
    )
  }

  /** Sends to every process of the group at once, as a terminal does. */
  signal(name: NodeJS.Signals): void {
    process.kill(-(this.leader.pid as number), name)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline)
    this.leader.stdin.destroy()
    this.#kill()
  }

  #kill(): void {
    try {
      this.signal('SIGKILL')
    } catch {
      // Nobody is left.
    }
  }
}

const make = () => Folder.make({ 'model.ts': telling, 'a.csv': records(59) })
const begun = (folder: Folder, n: number) =>
  expect.poll(() => folder.lines('begun'), { timeout: 20_000 }).toHaveLength(n)
const consumers = ['--consumers', '2', '--model', './model.ts']

/** The exit codes of the processes that the leader started. */
async function codesOfConsumers(folder: Folder, { leader }: Group): Promise<string[]> {
  const ends = (await folder.lines('ended')).map((line) => line.split(' '))
  return ends.filter(([pid]) => pid !== String(leader.pid)).map(([, code]) => code as string)
}

describe('consumer processes of a load', () => {
  it('do not outlive it, however it ended', async () => {
    await using folder = await make()
    using group = new Group(folder, 'load', '-', ...consumers)
    await begun(folder, 3)
    group.leader.kill('SIGKILL')
    await group.ended
    expect(await codesOfConsumers(folder, group)).toEqual(['0', '0'])
  }, 30_000)

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'finish what is in hand when a %s reaches the whole process group',
    async (name) => {
      await using folder = await make()
      // One message is one batch, so that much is left when the signal comes.
      using group = new Group(
        folder,
        'load',
        'a.csv',
        '--chunk-bytes',
        '30',
        '--batch-messages',
        '1',
        ...consumers,
      )
      // By then both of them have long been listening.
      const recordsDone = async () => (await folder.lines('busy')).length
      await expect.poll(recordsDone, { timeout: 20_000, interval: 5 }).toBeGreaterThan(10)
      group.signal(name)
      await group.ended
      expect(await codesOfConsumers(folder, group)).toEqual(['0', '0'])
      expect(await folder.json('status')).toMatchObject({ queue: { inFlight: 0 } })
    },
    30_000,
  )
})

describe('a command that waits for standard input', () => {
  it.each([
    ['load', 'SIGINT'],
    ['load', 'SIGTERM'],
    ['produce', 'SIGTERM'],
  ] as const)(
    '%s - ends at a %s, and keeps nothing of what came',
    async (command, name) => {
      await using folder = await make()
      using group = new Group(folder, command, '-')
      group.leader.stdin.write(records(3))
      await expect
        .poll(() => readdir(folder.at('.lading/spool')).catch(() => []), { timeout: 20_000 })
        .toHaveLength(1)
      group.leader.kill(name)
      expectError(await group.ended, 'ABORTED', 75)
      expect(await readdir(folder.at('.lading/spool'))).toEqual([])
    },
    30_000,
  )

  it('ends when a consumer fails', async () => {
    await using folder = await make()
    using group = new Group(folder, 'load', '-', ...consumers)
    await begun(folder, 3)
    const consumer = (await folder.lines('begun')).find((pid) => pid !== String(group.leader.pid))
    process.kill(Number(consumer), 'SIGKILL')
    expectError(await group.ended, 'CONSUMER_LOST', 70, 'SIGKILL')
  }, 30_000)
})
