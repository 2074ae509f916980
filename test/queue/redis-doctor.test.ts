import { chmodSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Finding } from '../../src/core/finding.ts'
import { examineQueue, openQueue } from '../../src/queue/registry.ts'
import { freePort } from '../../tooling/servers/engine.ts'
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

  it('whose group has passed over messages, and on a server that is not there, or may be elsewhere', async () => {
    const url = freshUrl()
    const stream = new URL(url).searchParams.get('stream') ?? ''
    {
      await using queue = await openQueue(url)
      await queue.publish([message])
    }
    await server().command('XGROUP', 'SETID', stream, 'lading', '$')
    expect(named(await ofQueue(url), 'group')).toMatchObject([
      { level: 'warn', detail: expect.stringMatching(/passed over messages.*XGROUP SETID/) },
    ])
    // An address of this machine too, but not by its name.
    const far = url.replace('127.0.0.1', '0.0.0.0')
    expect(named(await ofQueue(far), 'encryption')).toMatchObject([{ level: 'warn' }])
    await using queue = await openQueue(far)
    expect(queue.traits.warnings).toContainEqual(expect.stringMatching(/^redis:\/\/ sends .* as plain text/))
    const away = url.replace(/:\d+\?/, `:${await freePort()}?`)
    expect(levels(await ofQueue(away), 'fail')).toEqual([
      expect.stringMatching(/^connection: QUEUE_UNAVAILABLE/),
    ])
  })

  it('a stop does not wait for the server, and leaves no connection behind', async () => {
    const away = freshUrl().replace(/:\d+\?/, `:${await freePort()}?`)
    for (const url of [away, freshUrl()]) {
      const found = await examineQueue(url, { create: true, signal: AbortSignal.abort() })
      await expect(found[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ABORTED' })
    }
    const clients = async () => String(await server().command('CLIENT', 'LIST')).match(/^id=/gm)
    await expect.poll(clients).toHaveLength(1)
  })

  it('on a server whose disk refuses what it saves', async () => {
    await server().command('CONFIG', 'SET', 'rdb-key-save-delay', '0')
    chmodSync(server().dataDirectory, 0o500)
    try {
      await server().command('BGSAVE')
      await expect.poll(() => server().command('INFO', 'persistence')).toMatch(/bgsave_status:err/)
      expect(levels(await ofQueue(freshUrl()), 'warn')).toEqual([
        expect.stringMatching(/^durability: rdb_last_bgsave_status is err: the disk/),
      ])
    } finally {
      chmodSync(server().dataDirectory, 0o700)
      await server().command('BGSAVE')
    }
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
