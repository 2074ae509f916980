import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskFrom } from '../../src/cli/settings/mask.ts'
import type { Column } from '../../src/model/columns.ts'
import { date, integer, json, text, timestamptz, varchar } from '../../src/model/columns.ts'
import {
  hmacSha256,
  type Mask,
  maskKey,
  maskKeyFromFile,
  partial,
  redact,
  sha256,
} from '../../src/model/mask.ts'
import { warningsOf, defineModel } from '../../src/model/model.ts'
import { decodeRecord } from '../../src/model/values.ts'
import { records } from '../../src/model/shipped/records.ts'

const secret = 'a key of thirty-two bytes, or so.'
const other = 'another key, of as many bytes too'
const hmac = (...ids: string[]) =>
  hmacSha256({ keys: ids.map((id, index) => maskKey(id, `${secret}${index}`)) })
const thrown = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('nothing was thrown')
}

describe('sha256', () => {
  it.each([
    ['199.172.111.135', 'a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c'],
    ['593-47-5928', '4f00c1a807b673887c7af517d0df68e6b41aecf8cbec26c71fe4c580664669ed'],
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['ä', '33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc'],
  ])('of %j', (source, expected) => {
    expect(sha256().apply(source)).toBe(expected)
    expect(sha256().all(source)).toEqual([expected])
  })

  it('says what it does not promise, and a key does', () => {
    expect(sha256().warning).toBe(
      'the plain hash of an IPv4 address is reversible by trying all of them; hmacSha256 with a key is not',
    )
    expect(hmac('k1').warning).toBeUndefined()
  })
})

describe('hmacSha256', () => {
  // RFC 4231, test case 6: a key of 131 bytes.
  it('is HMAC-SHA-256, the id of its key in front', () => {
    const mask = hmacSha256({ keys: [maskKey('k1', `hex:${'aa'.repeat(131)}`)] })
    const expected = 'k1:60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'
    expect(mask.apply('Test Using Larger Than Block-Size Key - Hash Key First')).toBe(expected)
  })

  it('masks under its first key, and finds what former keys masked', () => {
    const before = hmacSha256({ keys: [maskKey('old', secret)] })
    const after = hmacSha256({ keys: [maskKey('new', other), maskKey('old', secret)] })
    expect(after.apply('x')).not.toBe(before.apply('x'))
    expect(after.apply('x')).toMatch(/^new:[0-9a-f]{64}$/)
    expect(after.all('x')).toEqual([after.apply('x'), before.apply('x')])
  })

  it('keeps its own copy of the key', () => {
    const key = Buffer.from(secret)
    const mask = hmacSha256({ keys: [{ id: 'k1', key }] })
    const before = mask.apply('x')
    key.fill(0)
    expect(mask.apply('x')).toBe(before)
  })

  it.each<[string, () => unknown]>([
    ['no key', () => hmacSha256({ keys: [] })],
    ['two of one id', () => hmac('k1', 'k1')],
    ['a short key', () => maskKey('k1', 'CANARY')],
    ['short bytes', () => hmacSha256({ keys: [{ id: 'k1', key: Buffer.alloc(31, 'CANARY') }] })],
    ['hexadecimal that is none', () => maskKey('k1', `hex:CANARY${'aa'.repeat(40)}`)],
    ['base64 that is none', () => maskKey('k1', `base64:CANARY?${'aaaa'.repeat(40)}`)],
    ['too few bytes in hexadecimal', () => maskKey('k1', `hex:${'aa'.repeat(31)}`)],
    ['text where bytes belong', () => hmacSha256({ keys: [{ id: 'k1', key: `CANARY${secret}` as never }] })],
    ['a key in the place of an id', () => maskKey(`CANARY${secret}`, 'k1')],
    ['a key in the place of a path', () => maskKeyFromFile('k1', `CANARY${secret}`)],
    ['no id', () => maskKey('', secret)],
  ])('%s is refused, and not shown', (_, work) => {
    const error = thrown(work)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(inspect(error)).not.toContain('CANARY')
    expect(error.message).not.toContain(secret)
  })

  it('takes a key as text, as hexadecimal, as base64, as bytes and from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lading-mask-'))
    const write = async (name: string, content: string | Buffer) => {
      await writeFile(join(folder, name), content)
      return join(folder, name)
    }
    const bytes = Buffer.from(secret)
    const binary = Buffer.concat([Buffer.from([0xff, 0x80]), bytes])
    const of = (key: ReturnType<typeof maskKey>) => hmacSha256({ keys: [key] }).apply('x')
    const expected = of(maskKey('k1', bytes))
    for (const key of [secret, `hex:${bytes.toString('hex')}`, `base64:${bytes.toString('base64')}`]) {
      expect(of(maskKey('k1', key))).toBe(expected)
      expect(of(maskKeyFromFile('k1', await write('key', `${key}\n`)))).toBe(expected)
      expect(of(maskKeyFromFile('k1', await write('key', key)))).toBe(expected)
    }
    expect(of(maskKeyFromFile('k1', await write('binary', binary)))).toBe(of(maskKey('k1', binary)))
    await rm(folder, { recursive: true })
  })

  it('shows its key nowhere', () => {
    const key = maskKey('k1', secret)
    expect(JSON.stringify(key)).toBe('{"id":"k1"}')
    expect(inspect(key)).toBe("{ id: 'k1' }")
    const mask = hmacSha256({ keys: [key] })
    const model = defineModel({ table: 't', columns: { ip: text().mask(mask) } })
    const bytes = Buffer.from(secret)
    const shown = [key, mask, model]
      .map((each) => `${inspect(each, { depth: 9, showHidden: false })}${JSON.stringify(each)}`)
      .join('')
    for (const form of [
      secret,
      bytes.toString('hex'),
      bytes.toString('base64'),
      [...bytes].join(','),
      [...bytes].join(', '),
      '61 20 6b',
    ]) {
      expect(shown).not.toContain(form)
    }
  })
})

it.each<[Mask, string, string]>([
  [redact(), 'secret', '***'],
  [redact('-'), '', '-'],
  [partial(), 'abc', '***'],
  [partial({ keepFirst: 1, keepLast: 2 }), 'abcdef', 'a***ef'],
  [partial({ keepFirst: 1, keepLast: 2 }), 'abc', '***'],
  [partial({ keepLast: 1, with: '.' }), '😀ä😀', '..😀'],
  [partial({ keepFirst: 3 }), '', ''],
])('%o of %j is %j', (mask, source, expected) => {
  expect(mask.apply(source)).toBe(expected)
  expect(mask.all(source)).toEqual([expected])
})

it.each([
  () => partial({ keepFirst: -1 }),
  () => partial({ keepLast: 0.5 }),
  () => redact(''),
  () => redact('\0'),
  () => partial({ with: '' }),
])('a mask that cannot be meant is refused', (work) => expect(thrown(work).code).toBe('MODEL_INVALID'))

it('equal texts have equal masks, different texts different ones, and none holds the text', () => {
  const masks = [sha256(), hmac('k1')]
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 4 }),
      fc.string({ unit: 'binary', minLength: 4 }),
      (a, b) => {
        for (const mask of masks) {
          expect(mask.apply(a)).toBe(mask.apply(a))
          expect(mask.apply(a) === mask.apply(b)).toBe(a === b)
          expect(mask.all(a)[0]).toBe(mask.apply(a))
          if (!/^[0-9a-f]+$/.test(a)) expect(mask.apply(a)).not.toContain(a)
        }
      },
    ),
  )
})

describe('a masked column', () => {
  const model = defineModel({
    table: 't',
    columns: {
      ip: varchar(70).mask(sha256()).nullIf('unknown'),
      id: text().notNull().from('ID').mask(hmac('k1')),
      n: integer(),
    },
  })
  const ip = '199.172.111.135'

  it('holds the mask of the text, and NULL where there is none', () => {
    expect(decodeRecord(model, { ip, ID: '593', n: '1' })).toEqual({
      row: { ip: sha256().apply(ip), id: hmac('k1').apply('593'), n: 1 },
    })
    for (const none of [null, 'unknown'])
      expect(decodeRecord(model, { ip: none, ID: '' })).toMatchObject({ row: { ip: null } })
    expect(decodeRecord(model, { ip: '', ID: '' })).toMatchObject({ row: { ip: sha256().apply('') } })
  })

  it('quotes the mask where the mask does not fit', () => {
    const short = defineModel({ table: 't', columns: { ip: varchar(10).mask(sha256()) } })
    const decoded = decodeRecord(short, { ip })
    expect(decoded).toMatchObject({ fault: { code: 'TOO_LONG', column: 'ip' } })
    expect(JSON.stringify(decoded)).not.toContain(ip)
  })

  it('refuses a record whose mask throws, without what it said', () => {
    const throwing: Mask = {
      name: 'throwing',
      apply: (source) => {
        throw new Error(source)
      },
      all: () => [],
    }
    const decoded = decodeRecord(defineModel({ table: 't', columns: { ip: text().mask(throwing) } }), { ip })
    expect(decoded).toEqual({
      fault: { code: 'TRANSFORM_FAILED', column: 'ip', detail: 'the mask of the model threw' },
    })
  })

  it.each<[string, Readonly<Record<string, Column>>]>([
    ['only text and varchar columns can be masked', { a: integer().mask(sha256()) as Column }],
    ['only text and varchar columns can be masked', { a: json().mask(sha256()) as Column }],
    ['mask and transform do not go together', { a: text().mask(sha256()).transform(String) as Column }],
    ['its field a is masked, and read by b too', { a: text().mask(sha256()), b: text().from('a') }],
    ['its field a is masked, and read by a too', { b: text().from('a').mask(sha256()), a: text() }],
    [
      'mask: {} is not a mask such as hmacSha256({ keys }) (write mask(hmacSha256({ keys })))',
      { a: text().mask({} as Mask) },
    ],
  ])('%s', (message, columns) => {
    expect(() => defineModel({ table: 't', columns })).toThrow(
      expect.objectContaining({
        code: 'MODEL_INVALID',
        message: `model t: ${'b' in columns && message.includes('by a') ? 'b' : 'a'}: ${message}`,
      }),
    )
  })

  it('changes the fingerprint by its kind and the ids of its keys, and never by the keys', () => {
    const print = (mask?: Mask) =>
      defineModel({ table: 't', columns: { a: mask === undefined ? text() : text().mask(mask) } }).fingerprint
    const keyed = (id: string, key: string) => hmacSha256({ keys: [maskKey(id, key)] })
    const prints = [
      print(),
      print(sha256()),
      print(keyed('a', secret)),
      print(keyed('b', secret)),
      print(redact()),
      print(redact('-')),
    ]
    expect(new Set(prints).size).toBe(prints.length)
    expect(print(keyed('a', secret))).toBe(print(keyed('a', other)))
  })

  it('leaves the fingerprints of other models as they were', () => {
    expect(records.fingerprint).toBe('b897283b591acffebf631e1a6a7ce8209c48b2086624b48ecc0ca5c9a74995d8')
  })

  it('says its warning once for all columns that have it', () => {
    const two = defineModel({
      table: 't',
      columns: { a: text().mask(sha256()), b: text().mask(sha256()), c: text().mask(hmac('k1')) },
    })
    expect(warningsOf(two)).toEqual([`t.a, b: ${sha256().warning}`])
    expect(warningsOf(records)).toEqual([])
  })
})

describe('a generated column', () => {
  const model = defineModel({
    table: 't',
    columns: {
      key: varchar(10).generated('recordKey'),
      at: timestamptz().generated('processedAt'),
      day: date().generated('processedOn'),
      day_there: date().generated('processedOn', { zone: 'Asia/Taipei' }),
      a: text(),
    },
  })

  it('is filled with key, time and day of the zone', () => {
    const at = new Date('2024-12-31T16:00:00.123Z')
    expect(decodeRecord(model, { a: 'x', key: 'of the source' }, { key: 'k', at })).toEqual({
      row: {
        key: 'k',
        at: '2024-12-31T16:00:00.123000Z',
        day: '2024-12-31',
        day_there: '2025-01-01',
        a: 'x',
      },
    })
    const before = new Date(at.getTime() - 124)
    expect(decodeRecord(model, {}, { at: before })).toMatchObject({
      row: { at: '2024-12-31T15:59:59.999000Z', day_there: '2024-12-31' },
    })
  })

  it('is checked like any other value', () => {
    expect(decodeRecord(model, {}, { key: 'longer than ten' })).toMatchObject({
      fault: { code: 'TOO_LONG', column: 'key' },
    })
  })

  it.each<[string, Column]>([
    ['recordKey needs text or varchar', integer().generated('recordKey') as Column],
    ['processedAt needs timestamptz', date().generated('processedAt') as Column],
    ['processedOn needs date', timestamptz().generated('processedOn') as Column],
    [
      "'Mars/Base' is not an IANA time zone",
      date().generated('processedOn', { zone: 'Mars/Base' }) as Column,
    ],
    [
      "generated: 'other' is not one of 'recordKey', 'processedAt', 'processedOn'",
      text().generated('other' as 'recordKey') as Column,
    ],
    [
      'a generated value has no field, default, nullIf, notation, transform or mask',
      text().generated('recordKey').from('x') as Column,
    ],
    [
      'a generated value has no field, default, nullIf, notation, transform or mask',
      text().generated('recordKey').nullIf('x') as Column,
    ],
    [
      'a generated value has no field, default, nullIf, notation, transform or mask',
      text().generated('recordKey').mask(sha256()) as Column,
    ],
  ])('%s', (message, column) => {
    expect(() => defineModel({ table: 't', columns: { a: column } })).toThrow(`model t: a: ${message}`)
  })
})

describe('the environment of the command line', () => {
  const file = (path: string) => ({ LADING_MASK_KEY_FILE: path })

  it('gives a key, its id and its predecessor', () => {
    expect(maskFrom({}).name).toBe('sha256')
    expect(maskFrom({ LADING_MASK_KEY: '' }).name).toBe('sha256')
    expect(maskFrom({ LADING_MASK_KEY: secret }).name).toBe('hmac-sha256(k1)')
    const rotated = maskFrom({
      LADING_MASK_KEY: other,
      LADING_MASK_KEY_ID: 'k2',
      LADING_MASK_KEY_PREVIOUS: secret,
    })
    expect(rotated.all('x')[1]).toBe(maskFrom({ LADING_MASK_KEY: secret }).apply('x'))
    const named = {
      LADING_MASK_KEY: other,
      LADING_MASK_KEY_PREVIOUS: secret,
      LADING_MASK_KEY_PREVIOUS_ID: 'k0',
    }
    expect(maskFrom(named).name).toBe('hmac-sha256(k1, k0)')
  })

  it.each([
    { LADING_MASK_KEY: 'CANARY' },
    { LADING_MASK_KEY: `CANARY${secret}`, ...file('x') },
    file(`CANARY${secret}`),
    { LADING_MASK_KEY_ID: 'CANARY' },
    { LADING_MASK_KEY_PREVIOUS: `CANARY${secret}` },
    { LADING_MASK_KEY: `CANARY${secret}`, LADING_MASK_KEY_PREVIOUS: `CANARY${other}` },
    { LADING_MASK_KEY: secret, LADING_MASK_KEY_ID: `CANARY${secret}` },
  ])('%j is refused without its value', (env) => {
    const error = thrown(() => maskFrom(env))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(inspect(error)).not.toContain('CANARY')
  })
})
