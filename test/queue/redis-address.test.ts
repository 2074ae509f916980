import { expect, it } from 'vitest'
import { parseAddress, shownQueue } from '../../src/queue/redis/address.ts'

it.each([
  [
    'redis://host',
    { host: 'host', port: 6379, database: 0, stream: 'lading', group: 'lading', tls: undefined },
  ],
  ['redis://', { host: 'localhost', user: undefined, password: undefined }],
  ['rediss://host', { port: 6379, tls: { ca: undefined, cert: undefined, key: undefined } }],
  ['REDIS://host:1234/', { port: 1234, database: 0 }],
  ['redis://host/7', { database: 7 }],
  ['redis://[::1]:1234/0', { host: '::1', port: 1234 }],
  ['redis://:secret@host', { user: undefined, password: 'secret' }],
  ['redis://me%40x:p%40%2F%3F%23%25@host', { user: 'me@x', password: 'p@/?#%' }],
  ['redis://host?stream=a%20b%26%C5%82&group=g&body=data', { stream: 'a b&ł', group: 'g', body: 'data' }],
  ['redis://host', { leaseMs: 30_000, mayForget: false, connectTimeoutMs: 10_000, body: 'body' }],
  [
    'redis://host?lease=2s&persistence=none&timeout=0.5s',
    { leaseMs: 2_000, mayForget: true, connectTimeoutMs: 500 },
  ],
])('%s is %j', (url, parts) => {
  expect(parseAddress(url)).toMatchObject(parts)
})

const secret = 'hunter2'

it.each([
  `redis:${secret}`,
  `redis:/${secret}`,
  `redis://me:${secret}@host:99999`,
  `redis://me:12/${secret}@host`,
  `redis://me:12?${secret}@host`,
  `redis://me:${secret}%@host`,
  `redis://me@host/0?stream=${secret}`,
  `redis://me:${secret}@host/${secret}`,
  `redis://me:${secret}@host/?${secret}=1`,
  `redis://me:${secret}@host?stream=`,
  `redis://me:${secret}@host?group=${secret.repeat(80)}`,
  `redis://me:${secret}@host?lease=${secret}`,
  `redis://me:${secret}@host?persistence=${secret}`,
  `redis://me:${secret}@host?timeout=${secret}`,
  `redis://me:${secret}@host?ca=/tmp/${secret}`,
  `rediss://me:${secret}@host?cert=/tmp/${secret}`,
])('%s is refused as USAGE, in one line that repeats nothing of it', (url) => {
  const refused = expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(/^.+$/) })
  expect(() => parseAddress(url)).toThrow(refused)
  expect(() => parseAddress(url)).not.toThrow(secret)
})

it.each([secret, `${secret}@/?#%:&`, `ü\0 ${secret}`])(
  'the password %j arrives as it is, and is not shown',
  (text) => {
    const address = parseAddress(`redis://me:${encodeURIComponent(text)}@host/3?stream=q`)
    expect(address.password).toBe(text)
    expect(shownQueue(address)).toBe('stream q at host:6379 (database 3)')
  },
)
