/** What stands in examples/ does what it says, as one runs it from a checkout. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openQueue } from '../../src/index.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { root } from '../structure/sources.ts'

let folder = ''

const csv = `id,Customer Name,net,tax,placed_at
7,Ada,100,19,2026-06-01 08:30:00
8,Bob,10,19,2026-06-01 08:31:00
`
const order = { id: 7, 'Customer Name': 'Ada', net: '100', tax: '19', placed_at: '2026-06-01 08:30:00' }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-examples-'))
  mkdirSync(join(folder, 'inbox'))
  writeFileSync(join(folder, 'inbox/orders.csv'), csv)
})

afterEach(() => rmSync(folder, { recursive: true }))

interface Running {
  readonly child: ChildProcess
  output(): string
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, ['--no-warnings', ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  return { child, output: () => output, ended }
}

const example = (name: string): string => join(root, 'examples', name)
const run = (name: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  start([example(name), ...args], env).ended

it('load-a-file prints receipts and rejects, and loads nothing twice', async () => {
  const told = `orders.csv: 2 records, 1 loaded, 1 rejected
orders.csv:3: tax: the tax is larger than what it is of
`
  for (let n = 0; n < 2; n++)
    expect(await run('load-a-file.ts', ['inbox/orders.csv'])).toEqual({ code: 0, output: told })
})

it('nightly-job says what it did, and exits by it', async () => {
  expect(await run('nightly-job.ts')).toEqual({
    code: 3,
    output: '{"loadedNow":1,"loaded":1,"rejected":1,"complete":true}\n',
  })
  const missing = await run('nightly-job.ts', [], { INBOX: 'nowhere' })
  expect(missing).toEqual({
    code: 66,
    output: expect.stringMatching(/^SOURCE_MISSING: .*; correct the path\n$/),
  })
})

it('service consumes until SIGTERM, and stops in good order', async () => {
  const service = start([example('service.ts')])
  await expect.poll(() => service.output(), { timeout: 20_000 }).toContain('ready')
  await using queue = await openQueue(`embedded:${join(folder, 'orders-queue.db')}`)
  await queue.publish([{ key: 'm', body: Buffer.from(JSON.stringify(order)), headers: {} }])
  await expect.poll(() => service.output(), { timeout: 20_000 }).toContain('loaded 1 records of 1 messages')
  service.child.kill('SIGTERM')
  expect(await service.ended).toEqual({
    code: 0,
    output: expect.stringContaining('stopped, with 1 records loaded and 0 rejected'),
  })
})

it('orders.test passes', async () => {
  const { code, output } = await start([
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--root',
    join(root, 'examples'),
  ]).ended
  expect(code, output).toBe(0)
})

it('from-an-api asks for every page, and loads a day once', async () => {
  const pages = [
    { orders: [{ ...order, state: 'paid' }], next: '/orders?day=2026-06-01&page=2' },
    { orders: [{ ...order, id: 9 }] },
  ]
  const asked: string[] = []
  const server = createServer(({ url = '' }, answer) => {
    asked.push(url)
    answer.end(JSON.stringify(pages[url.includes('page=2') ? 1 : 0]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const env = { API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders` }
  const args = ['2026-06-01']
  expect((await run('from-an-api.ts', args, env)).output).toBe('2 loaded, 0 rejected\n')
  expect((await run('from-an-api.ts', args, env)).output).toBe('0 loaded, 0 rejected\n')
  expect(asked.slice(0, 2)).toEqual(['/orders?day=2026-06-01', '/orders?day=2026-06-01&page=2'])
  server.close()
})

describePostgres('PostgreSQL', () => {
  it('own-pool loads beside the queries of the program', async () => {
    await using database = await freshDatabase()
    expect(await run('own-pool.ts', ['inbox/orders.csv'], { DATABASE_URL: database.url })).toEqual({
      code: 0,
      output: expect.stringMatching(/^the program goes on at .*Z\n1 loaded\n119\.00 in all\n$/),
    })
  })
})

it('each is short, and in the list', () => {
  const list = readFileSync(example('README.md'), 'utf8')
  for (const name of globSync('*.ts', { cwd: join(root, 'examples') })) {
    expect(list).toContain(`[${name}](${name})`)
    if (name !== 'demo.ts') expect(readFileSync(example(name), 'utf8').split('\n').length).toBeLessThan(60)
  }
})
