import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseAddress, shownQueue } from '../../src/queue/rabbitmq/address.ts'

it.each([
  ['amqp://host', { host: 'host', port: 5672, vhost: '/', queue: 'lading', tls: undefined }],
  ['amqp://', { host: 'localhost', port: 5672 }],
  ['amqps://host', { port: 5671, tls: { ca: undefined, cert: undefined, key: undefined } }],
  ['AMQP://host:1234/', { port: 1234, vhost: '/' }],
  ['amqp://host/depot', { vhost: 'depot' }],
  ['amqp://host/%2F', { vhost: '/' }],
  ['amqp://host/%2Fdepot%20%C5%82', { vhost: '/depot ł' }],
  ['amqp://[::1]:1234/depot', { host: '::1', port: 1234 }],
  ['amqp://host', { user: 'guest', password: 'guest' }],
  ['amqp://me@host', { user: 'me', password: '' }],
  ['amqp://me%40x:p%40%2F%3F%23%25@host', { user: 'me@x', password: 'p@/?#%' }],
  ['amqp://me:p@ss@host', { password: 'p@ss', host: 'host' }],
  ['amqp://host?queue=a%20b%26%C5%82', { queue: 'a b&ł' }],
  ['amqp://host', { type: 'quorum', receive: 'push', connectTimeoutMs: 10_000, heartbeatSeconds: 20 }],
  ['amqp://host?heartbeat=5', { heartbeatSeconds: 5 }],
  [
    'amqp://host?type=classic&receive=poll&timeout=0.5s',
    { type: 'classic', receive: 'poll', connectTimeoutMs: 500 },
  ],
])('%s is %j', (url, parts) => {
  expect(parseAddress(url)).toMatchObject(parts)
})

it('the files of a certificate are read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lading-address-'))
  try {
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), name)
    const { tls } = parseAddress(`amqps://host?ca=${folder}/ca&cert=${folder}/cert&key=${folder}/key`)
    expect(Object.entries(tls ?? {}).map(([name, bytes]) => [name, String(bytes)])).toEqual([
      ['ca', 'ca'],
      ['cert', 'cert'],
      ['key', 'key'],
    ])
    const missing = expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^the ca of the queue URL .*ENOENT/),
    })
    expect(() => parseAddress(`amqps://me:hunter2@host?ca=${folder}/none`)).toThrow(missing)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const secret = 'hunter2'

it.each([
  `amqp:${secret}`,
  `amqp:/${secret}`,
  `amqp://me:${secret}@host:99999`,
  `amqp://me:${secret}@host:x`,
  `amqp://me:12/${secret}@host`,
  `amqp://me:12?${secret}@host`,
  `amqp://me:12#${secret}@host`,
  `amqp://me:${secret}%@host`,
  `amqp://me:${secret}@host/%E0%A4%A`,
  `amqp://me:${secret}@host/?${secret}=1`,
  `amqp://me:${secret}@host?queue=`,
  `amqp://me:${secret}@host?queue=${secret.repeat(35)}`,
  `amqp://me:${secret}@host?type=${secret}`,
  `amqp://me:${secret}@host?receive=${secret}`,
  `amqp://me:${secret}@host?timeout=${secret}`,
  `amqp://me:${secret}@host?timeout=0`,
  `amqp://me:${secret}@host?heartbeat=0`,
  `amqp://me:${secret}@host?heartbeat=0.5`,
  `amqp://me:${secret}@host?timeout=3601`,
  `amqp://me:${secret}@host?ca=/tmp/${secret}`,
  `amqps://me:${secret}@host?cert=/tmp/${secret}`,
])('%s is refused as USAGE, in one line that repeats nothing of it', (url) => {
  const refused = expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/^.+$/) })
  expect(() => parseAddress(url)).toThrow(refused)
  expect(() => parseAddress(url)).not.toThrow(secret)
})

it('an encoded password arrives as it is, and no password is shown, encoded or not', () => {
  const password = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `${secret}${text}${secret}`)
  fc.assert(
    fc.property(password, (text) => {
      expect(parseAddress(`amqp://me:${encodeURIComponent(text)}@host/`).password).toBe(text)
      expect(toldOf(`amqp://me:${text}@host/depot?queue=q`)).not.toContain(secret)
      expect(toldOf(`amqp://me:${text}@host/depot?queue=q&${text}`)).not.toContain(secret)
    }),
  )
})

/** All that anybody gets to read of a URL. */
function toldOf(url: string): string {
  try {
    return shownQueue(parseAddress(url))
  } catch (error) {
    return String(error)
  }
}
