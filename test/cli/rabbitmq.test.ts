import { expect, it } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { externalClient } from '../queue/external-client.ts'
import { expectError, Folder, records } from './run.ts'

const secret = 'CANARY-pw'

function withPassword(url: string, password = secret): string {
  const parts = new URL(url)
  parts.password = password
  return parts.href
}

describeRabbit('lading with a queue of RabbitMQ', () => {
  it.each<
    [string, (url: string) => string, readonly string[], 'QUEUE_REFUSED' | 'QUEUE_MISSING', string | RegExp]
  >([
    ['the password is wrong', (url) => withPassword(url), [], 'QUEUE_REFUSED', 'Login was refused'],
    [
      'there is no such virtual host',
      (url) => url.replace('/?', '/none?'),
      [],
      'QUEUE_REFUSED',
      'virtual host none',
    ],
    [
      'the queue may not be made',
      (url) => url.replace('queue=', 'queue=amq.'),
      [],
      'QUEUE_REFUSED',
      'reserved prefix',
    ],
    ['the queue is to be there and is not', (url) => url, ['--no-create'], 'QUEUE_MISSING', 'no queue'],
    ['the queue has other arguments', (url) => url, [], 'QUEUE_REFUSED', /inequivalent arg/],
  ])('ends with 78 and one line when %s', async (_, wrong, flags, code, part) => {
    const url = wrong(freshQueueUrl())
    if (String(part).includes('inequivalent')) {
      await using other = await externalClient(url)
      await other.channel.assertQueue(other.queue, { durable: true })
    }
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const runs = await Promise.all([
      folder.lading('produce', 'a.csv', '--queue', url, ...flags),
      folder.lading('consume', '--queue', url, ...flags),
    ])
    for (const run of runs) {
      expectError(run, code, 78, part)
      expect(run.err).toMatch(/^.+\n$/)
      expect(run.err).not.toContain(secret)
    }
  })

  it('status makes no queue, and ends with 78 and one line when it may not see one', async () => {
    const url = freshQueueUrl()
    await using folder = await Folder.make()
    for (let i = 0; i < 2; i++) {
      expect(await folder.json('status', '--queue', url)).toMatchObject({
        queue: { ready: 0, inFlight: 0, dead: 0 },
      })
    }
    await using other = await externalClient(url)
    await expect(other.channel.checkQueue(other.queue)).rejects.toThrow('NOT_FOUND')
    const refused = await folder.lading('status', '--queue', withPassword(url))
    expectError(refused, 'QUEUE_REFUSED', 78)
    expect(refused.err).not.toContain(secret)
  })

  it('waits for a broker that is not there, and ends with 69', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const url = `amqp://me:${secret}@127.0.0.1:1/?queue=q`
    const commands = [['produce', 'a.csv'], ['consume']]
    const runs = await Promise.all(
      commands.map((command) => folder.lading(...command, '--queue', url, '--start-timeout', '2')),
    )
    for (const run of runs) {
      expectError(run, 'QUEUE_UNAVAILABLE', 69, 'ECONNREFUSED')
      expect(run.err).toMatch(/^waiting .*QUEUE_UNAVAILABLE/)
      expect(run.err).not.toContain(secret)
    }
  })

  it('loads each record once, tells what a classic queue does not promise, and shows what is there', async () => {
    await using folder = await Folder.make({ 'a.csv': records(50) })
    const quorum = freshQueueUrl()
    const classic = `${freshQueueUrl()}&type=classic`
    for (const [url, warning] of [
      [quorum, ''],
      [classic, 'warning: a classic queue may lose'],
    ] as const) {
      const to = ['--to', `sqlite:${url === quorum ? 'quorum' : 'classic'}.db`, '--queue', url]
      const produced = await folder.lading(
        'produce',
        'a.csv',
        '--queue',
        url,
        '--chunk-bytes',
        '200',
        '--state',
        `${to[1]}.state`,
      )
      expect(produced.code, produced.err).toBe(0)
      expect(produced.err.split('\n')[0]).toContain(warning)
      expect(await folder.json('status', ...to)).toMatchObject({ queue: { ready: 7, dead: 0 } })
      const consumed = await folder.lading('consume', '--until-empty', ...to)
      expect(consumed.code, consumed.err).toBe(0)
      expect(consumed.err.includes('warning')).toBe(warning !== '')
      expect(await folder.json('status', ...to)).toMatchObject({
        queue: { ready: 0, dead: 0 },
        loads: [{ records: 50, loaded: 50, open: 0 }],
      })
    }
  })
})
