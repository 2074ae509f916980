/** `--http`: what a run shows while it runs, and to whom. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, records } from './run.ts'

const json = ['--log-format', 'json'] as const

/** Starts a consumer that ends only when it is told to, and waits until it can be asked. */
async function startConsumer(
  folder: Folder,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = folder.start(['consume', ...args, ...json], env)
  let err = ''
  child.stderr.on('data', (data) => (err += String(data)))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await expect.poll(() => err, { timeout: 20_000 }).toContain('"type":"http"')
  const url = /"url":"([^"]+)"/.exec(err)?.[1] as string
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers })
  return {
    url,
    ask,
    err: () => err,
    end: async () => {
      child.kill('SIGTERM')
      return await ended
    },
  }
}

describe('a run with --http', () => {
  it('answers at a port of its own, says where, and ends when it is told to, whoever is connected', async () => {
    await using folder = await Folder.make({ 'a.csv': records(7) })
    const consumer = await startConsumer(folder, ['--http', '127.0.0.1:0'])
    expect(consumer.url).toMatch(/^http:\/\/127\.0\.0\.1:\d{2,5}$/)
    expect(await (await consumer.ask('/healthz')).text()).toBe('ok\n')
    await folder.lading('produce', 'a.csv')
    const metrics = async () => (await consumer.ask('/metrics')).text()
    await expect.poll(metrics, { timeout: 20_000 }).toContain('\nlading_records_loaded_total 7\n')
    expect(await metrics()).toContain('command="consume"')
    expect((await consumer.ask('/readyz')).status).toBe(200)
    expect(await consumer.end()).toBe(0)
  })

  it('shows names of files to nobody without the token, which is in no log, no metric and no list of processes', async () => {
    await using folder = await Folder.make({ 'a.csv': records(7), token: 'a-secret-of-some-length\n' })
    const consumer = await startConsumer(folder, ['--http', '0', '--http-token', 'token'])
    await folder.lading('produce', 'a.csv')
    expect((await consumer.ask('/api/snapshot')).status).toBe(401)
    const snapshot = async () =>
      (await consumer.ask('/api/snapshot', { authorization: 'Bearer a-secret-of-some-length' })).json()
    await expect.poll(snapshot, { timeout: 20_000 }).toMatchObject({
      process: { command: 'consume', queue: 'embedded:./.lading/queue.db', target: 'sqlite:./lading.db' },
      loads: [{ source: 'a.csv', records: 7, loaded: 7, state: 'done' }],
      consumers: [{ batches: 1, held: 0 }],
      readiness: { ready: true },
    })
    expect(await (await consumer.ask('/metrics')).text()).not.toMatch(/secret|a\.csv/)
    await consumer.end()
    expect(consumer.err()).not.toContain('secret')
  })

  it('shows no password of an address', async () => {
    await using folder = await Folder.make()
    const places = [
      '--to',
      'postgresql://me:hunter2@127.0.0.1:1/db?sslpassword=hunter2',
      '--start-timeout',
      '60',
    ]
    const env = { LADING_HTTP: '0', LADING_HTTP_TOKEN: 'a-secret-of-some-length' }
    const consumer = await startConsumer(folder, places, env)
    const text = await (
      await consumer.ask('/api/snapshot', { authorization: 'Bearer a-secret-of-some-length' })
    ).text()
    expect(JSON.parse(text)).toMatchObject({ process: { target: 'postgresql://127.0.0.1:1/db' } })
    expect(text).not.toContain('hunter2')
    await expect
      .poll(async () => (await consumer.ask('/metrics')).text(), { timeout: 20_000 })
      .toMatch(/lading_waits_total\{code="SINK_UNAVAILABLE",action="reconnect"\} [1-9]/)
    await consumer.end()
  })

  it('beyond this machine is refused without a token, and with one that is too short or cannot be read', async () => {
    await using folder = await Folder.make({ short: 'short\n' })
    expectError(await folder.lading('consume', '--http', '0.0.0.0:0'), 'USAGE', 64, '--http-token')
    for (const token of ['short', 'nowhere'])
      expectError(await folder.lading('consume', '--http', '0', '--http-token', token), 'CONFIG_INVALID', 78)
    expect((await folder.run(['consume', '--http', '0'], { env: { LADING_HTTP_TOKEN: 'short' } })).code).toBe(
      78,
    )
  })

  it('stays after an error with --http-linger, which is told at once, and ends with its code', async () => {
    await using folder = await Folder.make({ 'a.csv': 'nothing\n1\n' })
    const args = ['load', 'a.csv', '--model', 'records', '--http', '0', '--http-linger']
    const child = folder.start(args)
    let err = ''
    let isTold = false
    child.stderr.on('data', (chunk) => {
      err += String(chunk)
      // At the moment when nothing but a signal ends it any more.
      if (!isTold && err.includes('error HEADER_MISMATCH')) isTold = child.kill('SIGTERM')
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code, err).toBe(65)
    expect(err.match(/^error HEADER_MISMATCH/gm)).toHaveLength(1)
  })

  it('an address that is none is a wrong command line', async () => {
    await using folder = await Folder.make()
    for (const address of [
      '',
      'localhost',
      '99999',
      '1.2.3.4:',
      '[1.2.3.4]:80',
      'http://localhost:80',
      '::1:80',
      '-1',
    ])
      expect((await folder.lading('consume', `--http=${address}`, '--until-empty')).code, address).toBe(64)
  })

  it('without it nothing listens, and nothing is loaded for it', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const run = await folder.lading('load', 'a.csv', ...json)
    expect(run.err).not.toContain('"type":"http"')
  })
})
