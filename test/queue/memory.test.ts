/** A queue in memory: the promises of every queue within one process, and what ends with it. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { queueContract } from '../contract/queue/queue.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { startLading } from '../support/lading.ts'
import { queueModule } from './module.ts'

queueContract('memory', {
  module: queueModule,
  create: async (leaseMs) => {
    const url = `memory:${randomUUID()}?lease=${leaseMs / 1000}s`
    // Held open, as it is by a program that opens it a second time.
    const queue = await openQueue(url)
    return { url, [Symbol.asyncDispose]: async () => queue[Symbol.asyncDispose]() }
  },
  deviations: [
    {
      tests: [
        'what a process published is there after it was killed, and no message is broken',
        'two consumer processes get each of many messages once',
        'two producer processes at once publish each message once',
      ],
      reason: 'it lies in the memory of one process',
    },
  ],
})

describe('a queue in memory', () => {
  it('says that it ends with its process', async () => {
    await using queue = await openQueue('memory:')
    expect(queue.traits.warnings).toEqual([expect.stringContaining('lost when the process ends')])
  })

  it('tells the age of its oldest message, be it held or not', async () => {
    await using queue = await openQueue('memory:')
    expect(await queue.oldest?.()).toBeUndefined()
    await queue.publish([messageOf('a', 0)])
    const delivery = await new Reader(queue).takeOne()
    expect(await queue.oldest?.()).toBeGreaterThanOrEqual(0)
    await delivery.settle({ kind: 'done' })
    expect(await queue.oldest?.()).toBeUndefined()
  })

  it('is shared by its name, and without one by nobody', async () => {
    await using one = await openQueue('memory:shared')
    await using other = await openQueue('memory:shared?lease=1s')
    await using apart = await openQueue('memory:')
    await using alone = await openQueue('memory:')
    await one.publish([messageOf('a', 0)])
    await apart.publish([messageOf('a', 0)])
    expect([(await other.depth()).ready, (await alone.depth()).ready]).toEqual([1, 0])
    expect(other.id).toBe(one.id)
    expect(alone.id).not.toBe(apart.id)
  })

  it('is gone when the last who has it open closes it', async () => {
    const open = () => openQueue('memory:closed', { create: false })
    await expect(open()).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
    {
      await using queue = await openQueue('memory:closed')
      await queue.publish([messageOf('a', 0)])
      await using again = await open()
      expect(await again.depth()).toMatchObject({ ready: 1 })
    }
    await expect(open()).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
  })

  it.each(['memory:a b', 'memory:a/b', 'memory://host', 'memory:?lease=0', 'memory:a?size=1'])(
    '%s is refused as USAGE',
    async (url) => expect(openQueue(url)).rejects.toMatchObject({ code: 'USAGE' }),
  )

  it('is refused by every command that another process would have to help', async () => {
    const run = async (...command: readonly string[]) => {
      const lading = startLading(...command, '--queue', 'memory:')
      return { code: await lading.ended, output: lading.output() }
    }
    const commands = [['produce', 'x.csv'], ['consume'], ['peek'], ['status']]
    for (const each of await Promise.all(commands.map((command) => run(...command))))
      expect(each).toEqual({
        code: 64,
        output: expect.stringContaining('no other process sees the queue memory:'),
      })
    const several = await run('load', 'x.csv', '--consumers', '2')
    expect(several.output).toContain('only one process can use memory:; omit --consumers')
  })
})
