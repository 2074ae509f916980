import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HttpFiles } from '../../tooling/servers/http-files.ts'
import { Folder, records } from './run.ts'

const secret = 'CANARY-pw'
const closed = `postgresql://me:${secret}@127.0.0.1:1/db`
const urls = [
  closed,
  `postgresql://me:${secret}@[broken/db`,
  `postgresql://me:${secret}@127.0.0.1:99999/db`,
  `postgresql://me:${secret}@127.0.0.1:1/db?sslmode=no-verify&password=${secret}`,
  `mysql://me:${secret}@127.0.0.1:1/db`,
  `mysql://me:${secret}@127.0.0.1:1/db?password=${secret}`,
  `me:${secret}@127.0.0.1/db`,
  secret,
]
/** With all the places where the URL of a queue may hold a secret. */
const queues = [
  `amqp://me:${secret}@127.0.0.1:1/?queue=q`,
  `amqps://me:${secret}@127.0.0.1:1/?queue=q`,
  `nats://me:${secret}@127.0.0.1:1/?stream=s`,
  `nats://127.0.0.1:1/?stream=s&token=${secret}`,
  `redis://:${secret}@127.0.0.1:1/0`,
  `rediss://me:${secret}@127.0.0.1:1/0?stream=s`,
  `postgresql://me:${secret}@127.0.0.1:1/db?queue=q`,
  `http://me:${secret}@127.0.0.1:1/000000000000/q`,
]
const brief = ['--start-timeout', '0.1']

describe.concurrent('a password', () => {
  it.each(urls)('in --to is never shown, nor in LADING_TO or the configuration (%#)', async (url) => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'c.json': JSON.stringify({ to: url }) })
    const runs = await Promise.all([
      folder.lading('load', 'a.csv', '--to', url, ...brief),
      folder.run(['load', 'a.csv', '--consumers', '2', ...brief], { env: { LADING_TO: url } }),
      folder.lading('--config', 'c.json', 'verify'),
      folder.run(['load', '--help'], { env: { LADING_TO: url } }),
    ])
    expect(runs.slice(0, 3).map(({ code }) => code)).not.toContain(0)
    for (const { out, err } of runs) expect(out + err).not.toContain(secret)
  })

  it.each(queues)('in --queue is never shown (%#)', async (url) => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const loud = ['--log-level', 'debug', '--log-format', 'json']
    const runs = await Promise.all([
      folder.lading('load', 'a.csv', '--queue', url, ...brief, ...loud),
      folder.run(['consume', ...brief], { env: { LADING_QUEUE: url } }),
      folder.lading('doctor', '--queue', url, ...brief),
    ])
    for (const { code, out, err } of runs) {
      expect(code).toBeGreaterThan(0)
      expect(out + err).not.toContain(secret)
    }
  })

  it('in the URL of a file is never shown, nor kept', async () => {
    await using folder = await Folder.make()
    await using server = await HttpFiles.start()
    server.put('/a.csv', records(3), { login: `me:${secret}` })
    server.put('/b.csv', records(4), { query: `?token=${secret}` })
    const refused = await Promise.all(
      [
        server.url('/a.csv').replace('//', `//you:${secret}@`),
        `${server.url('/b.csv')}?X-Amz-Signature=${secret}&sig=${secret}`,
        `s3://me:${secret}@bucket/a.csv`,
        `s3://bucket/a.csv?endpoint=http://me:${secret}@127.0.0.1:1`,
      ].map((url) => folder.lading('load', url)),
    )
    for (const { code, out, err } of refused) {
      expect(code).toBeGreaterThan(0)
      expect(out + err).not.toContain(secret)
    }
    const loaded = await Promise.all([
      folder.lading('load', server.url('/a.csv').replace('//', `//me:${secret}@`), '--log-level', 'debug'),
      folder.lading('load', `${server.url('/b.csv')}?token=${secret}`, '--to', 'sqlite:b.db'),
    ])
    for (const { code, out, err } of loaded) {
      expect(code, err).toBe(0)
      expect(out + err).not.toContain(secret)
    }
    const kept = (await readdir(folder.path, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    )
    expect(kept.length).toBeGreaterThan(3)
    for (const { parentPath, name } of kept)
      expect((await readFile(join(parentPath, name))).includes(secret), name).toBe(false)
  })

  it('in a URL that stands where none belongs is not shown either', async () => {
    await using folder = await Folder.make({
      'a.csv': records(1),
      'c.json': `{"to": "${closed}"`,
      'd.json': `{"${closed}": 1}`,
    })
    const runs = await Promise.all([
      folder.lading(closed),
      folder.lading('load', closed),
      folder.lading('load', `${closed}/*.csv`),
      folder.lading('load', 'a.csv', '--model', closed),
      folder.lading('load', 'a.csv', '--queue', `mysql://me:${secret}@127.0.0.1/db`),
      folder.lading('load', 'a.csv', '--consumers', closed),
      folder.lading('load', 'a.csv', '--delimiter', closed),
      folder.lading('verify', closed),
      folder.lading('--config', 'c.json', 'verify'),
      folder.lading('--config', 'd.json', 'verify'),
      folder.lading('--config', closed, 'verify'),
    ])
    for (const { code, out, err } of runs) {
      expect(code).toBeGreaterThan(0)
      expect(err).toMatch(/^error [A-Z_]+: .+\n$/)
      expect(out + err).not.toContain(secret)
    }
  })
})
