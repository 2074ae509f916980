import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'amqplib'
import type { ChannelModel } from 'amqplib'
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { startRabbit } from '../../tooling/servers/rabbitmq.ts'
import type { RabbitServer } from '../../tooling/servers/rabbitmq.ts'

describeRabbit('a private RabbitMQ', () => {
  let server: RabbitServer

  beforeAll(async () => {
    server = await startRabbit({
      settings: { max_message_size: '4321' },
      plugins: ['rabbitmq_event_exchange'],
    })
  })

  afterAll(() => server.stop())

  it('has a port, settings and plugins of its own', async () => {
    const shared = inject('rabbit')
    expect('url' in shared && shared.url).not.toBe(server.url)
    expect(server.url).toBe(`amqp://guest:guest@127.0.0.1:${server.port}/`)
    expect(server.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(await server.evaluate('application:get_env(rabbit, max_message_size).')).toBe('{ok, 4321}')
    expect(await server.ctl('list_exchanges', 'name')).toContain('amq.rabbitmq.event')
    expect(server.log()).toContain('started TCP listener')
  })

  it('gives each test a queue of its own on the shared broker', async () => {
    const [one, other] = [new URL(freshQueueUrl()), new URL(freshQueueUrl())]
    expect(one.searchParams.get('queue')).not.toBe(other.searchParams.get('queue'))
    one.search = ''
    await using client = await connected(one.href)
    expect(client.connection.connection.serverProperties.product).toBe('RabbitMQ')
  })

  it('leaves neither process nor folder when it is stopped', async () => {
    const started = descendants(process.pid)
    expect(started).toContain(server.pid())
    await server.stop()
    await vi.waitFor(() => expect(started.filter(runs)).toEqual([]), { timeout: 10_000 })
    expect(existsSync(server.dataDirectory)).toBe(false)
  })

  it('leaves neither process nor folder when the process that started it is killed with -9', async () => {
    const source = `
      const { startRabbit } = await import(${JSON.stringify(new URL('../../tooling/servers/rabbitmq.ts', import.meta.url).href)})
      const { dataDirectory } = await startRabbit()
      console.log(dataDirectory)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const started = descendants(child.pid ?? 0)
    expect(started.length).toBeGreaterThan(1)
    child.kill('SIGKILL')
    await vi.waitFor(() => expect(started.filter(runs)).toEqual([]), { timeout: 10_000 })
    expect(existsSync(line.trim())).toBe(false)
  })
})

async function connected(url: string): Promise<{ connection: ChannelModel } & AsyncDisposable> {
  const connection = await connect(url)
  connection.on('error', () => undefined)
  return { connection, [Symbol.asyncDispose]: () => connection.close().catch(() => undefined) }
}

/** The processes that this one has started, and those that they have started. */
function descendants(root: number): number[] {
  const children = processes().filter(({ parent }) => parent === root)
  return children.flatMap(({ pid }) => [pid, ...descendants(pid)])
}

/** A zombie runs no more: it is there until its parent asks for it, which an init may never do. */
function runs(pid: number): boolean {
  return processes().some((process) => process.pid === pid && !process.state.startsWith('Z'))
}

function processes(): { pid: number; parent: number; state: string }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [pid, parent, state = ''] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), state }
  })
}
