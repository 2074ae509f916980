import { expect, it } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { examineQueue, openQueue } from '../../src/queue/registry.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { levels, named } from '../doctor/findings.ts'

const message = { key: 'a', body: Buffer.from('{}'), headers: {} }

async function ofQueue(url: string, create = true): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for await (const finding of await examineQueue(url, { create })) found.push(finding)
  return found
}

describeRedis('what the doctor finds of a queue of Redis', ({ server, freshUrl }) => {
  it('that is not there is not made; one as Lading makes it is sound, and its messages are not delivered', async () => {
    const url = freshUrl()
    expect(levels(await ofQueue(url), 'fail')).toEqual([])
    expect(levels(await ofQueue(url, false), 'fail')).toEqual([expect.stringMatching(/QUEUE_MISSING/)])
    expect(await server().command('DBSIZE')).toBe(0)
    {
      await using queue = await openQueue(url)
      await queue.publish([message])
    }
    const found = await ofQueue(url)
    expect([...levels(found, 'fail'), ...levels(found, 'warn')]).toEqual([])
    expect(named(found, 'durability')).toMatchObject([{ level: 'ok' }])
    await using queue = await openQueue(url)
    expect(await queue.peek(1)).toMatchObject([{ attempt: 0 }])
  })

  it('on a server with other settings: what they lose, each with the command that changes it', async () => {
    const url = freshUrl()
    await server().command('CONFIG', 'SET', 'appendfsync', 'everysec')
    await server().command('CONFIG', 'SET', 'maxmemory', '1000000')
    await server().command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const found = await ofQueue(url)
    expect(found.filter(({ level }) => level === 'warn').map(({ what }) => what)).toEqual([
      'durability',
      'memory',
    ])
    expect(levels(found, 'fail')).toEqual([expect.stringMatching(/^server: QUEUE_REFUSED: .*allkeys-lru/)])
    const cure = named(found, 'durability')[0]?.cure ?? ''
    await server().command(...(/redis-cli (.*?) #/.exec(cure)?.[1] ?? '').split(' '))
    expect(named(await ofQueue(url), 'durability')).toMatchObject([{ level: 'ok' }])
    await server().command('CONFIG', 'SET', 'maxmemory', '0')
    await server().command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  })

  it('a user without rights gets the command with which the queue works', async () => {
    await server().command('ACL', 'SETUSER', 'me', 'on', '>secret', '+eval', '+info', '+time')
    const url = freshUrl().replace('//', '//me:secret@')
    const [refused] = (await ofQueue(url)).filter(({ level }) => level === 'fail')
    expect(refused).toMatchObject({ what: 'rights', detail: expect.stringMatching(/xadd, .*xreadgroup/) })
    const words = (/redis-cli (.*)/.exec(refused?.cure ?? '')?.[1] ?? '').split(' ')
    await server().command(...words.map((word) => word.replaceAll("'", '')))
    expect(levels(await ofQueue(url), 'fail')).toEqual([])
    await using queue = await openQueue(url)
    await queue.publish([message])
    expect(await queue.depth()).toMatchObject({ ready: 1 })
  })
})
