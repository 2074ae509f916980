import { describe, expect, it } from 'vitest'
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
