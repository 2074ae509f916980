import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { Folder } from './run.ts'

const rows = `id,note\n${Array.from({ length: 200 }, (_, i) => `${i},a\n`).join('')}`

it('what would work ends with 0, by subject, and leaves nothing behind', async () => {
  await using folder = await Folder.make({ 'people.csv': rows })
  const run = await folder.lading('doctor', 'people.csv')
  expect(run.code, run.err).toBe(0)
  expect(run.err).toMatch(/^(looking at .+\n)*$/)
  expect(run.out.match(/^\w[\w ]*$/gm)?.slice(0, 5)).toEqual([
    'Database',
    'Table',
    'Queue',
    'Files',
    'This machine',
  ])
  expect(run.out).toMatch(/^ok {4}speed: about [\d,]+ records\/s/m)
  expect(run.out).toMatch(/\nnothing stands against a load\n$/)
  expect(await folder.lines('lading.db')).toEqual([])
  expect(await folder.lines('.lading/producer.db')).toEqual([])
})

it('what would not ends with 1 and what to paste; a password is not shown, and JSON has the same findings', async () => {
  await using folder = await Folder.make({ 'people.csv': rows })
  const to = 'postgresql://me:hidden@127.0.0.1:1/shop'
  const args = [
    'doctor',
    'people.csv',
    'absent.csv',
    '--table',
    'people',
    '--to',
    to,
    '--queue',
    'embedded:queue.db',
    '--no-create',
  ] as const
  const run = await folder.lading(...args)
  expect(run.code, run.err).toBe(1)
  expect(run.out).toMatch(/^FAIL {2}connection: SINK_UNAVAILABLE/m)
  expect(run.out).toMatch(/^FAIL {2}queue: QUEUE_MISSING/m)
  expect(run.out).toMatch(/^ {6}> leave --no-create away$/m)
  expect(run.out).toMatch(/SOURCE_MISSING/)
  const json = await folder.lading(...args, '--json')
  expect(json.code).toBe(1)
  const found = JSON.parse(json.out) as readonly { readonly level: string }[]
  expect(found.filter(({ level }) => level === 'fail')).toHaveLength(run.out.match(/^FAIL/gm)?.length ?? 0)
  expect(run.out + json.out).not.toContain('hidden')
})

it('what takes long is told while it lasts, and not among the findings', async () => {
  await using folder = await Folder.make()
  const open: Socket[] = []
  // Takes connections, and answers none until it has been told what is waited for.
  let isTold = false
  const server = createServer((socket) => {
    open.push(socket.on('error', () => undefined))
    if (isTold) socket.destroy()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const to = ['--to', `postgresql://me@127.0.0.1:${port}/shop`]
  for (const [format, line] of [
    ['pretty', / looking at the database\n/],
    ['json', /"type":"looking","at":"database"/],
  ] as const) {
    const child = folder.start(['doctor', ...to, '--log-format', format])
    child.stdin.end()
    let told = ''
    isTold = false
    child.stderr.setEncoding('utf8').on('data', (said: string) => {
      told += said
      isTold = line.test(told)
      if (isTold) for (const socket of open) socket.destroy()
    })
    const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect(told).toMatch(line)
    expect(out).toMatch(/^FAIL {2}connection: SINK_UNAVAILABLE/m)
    expect(out).not.toContain('looking at')
    expect(child.exitCode).toBe(1)
  }
  server.close()
}, 60_000)
