/**
 * Personal data that a model masks is nowhere but in the queue: not in the table, not in rejects and dead
 * letters, not in what is told. Canaries stand wherever a sender may put such data, and every byte that is
 * kept or said is searched for them.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import type { DedupKey } from '../../src/consumer/decode/identity.ts'
import { Keeping } from '../../src/consumer/decode/keeping.ts'
import { replayLetter as replay, type ReplayOptions } from '../../src/review/letters.ts'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { integer, json, text, varchar } from '../../src/model/columns.ts'
import { hmacSha256, type Mask, maskKey, sha256 } from '../../src/model/mask.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { produce } from '../../src/producer/produce.ts'
import { republishMissing } from '../../src/producer/republish.ts'
import type { Outgoing } from '../../src/queue/queue.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { query, Fixture } from '../support/fixture.ts'
import { wrapSink } from '../support/wrappers.ts'
import { describePostgres } from '../../tooling/servers/database.ts'

const ip = '199.172.111.135'
const device = '593-47-5928'
const big = '987654321098765432109876'
const canaries = [ip, device, big]

const mask = hmacSha256({ keys: [maskKey('k1', 'k'.repeat(32))] })

const columns = {
  user: text().notNull(),
  ip: varchar(100).notNull().mask(mask).nullIf('unknown'),
  device: text().mask(mask).from('device_id'),
  locale: varchar(5),
  doc: json(),
}
const visits = defineModel({ table: 'visits', columns })
/** The same table for any text: what was refused for its length fits. */
const mended = defineModel({ table: 'visits', columns: { ...columns, locale: varchar(4000) } })
/** One more field is known. */
const widened = defineModel({ table: 'visits', columns: { ...columns, note: text() } })

const visit = { user: 'u', ip, device_id: device, locale: 'RU' }

const message = (key: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Outgoing => ({
  key,
  body:
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
  headers,
})

async function opened(kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const said: unknown[] = []
  const consume = async (more: Partial<ConsumerOptions> = {}) => {
    const options = {
      queue,
      sink,
      model: visits,
      onEvent: (event: LadingEvent) => said.push(event),
      messageRetry: { attempts: 1 },
      ...more,
    }
    const tally = await createConsumer(options).run({ untilEmpty: true })
    said.push(tally)
    return tally
  }
  return {
    fixture,
    queue,
    sink,
    said,
    consume,
    letters: (all = false) => sink.ledger.deadLetters({ limit: 1000, all }),
    rejects: () => sink.ledger.rejects({ limit: 1000 }),
    /** Everything that was kept or told, as bytes. */
    everything: () => everything(fixture, kind, sink, said),
    press: async (letter: StoredDeadLetter, model: Model = mended, more: Partial<ReplayOptions> = {}) => {
      const verdict = await replay(letter, { sink, model, ...more })
      said.push(verdict)
      return verdict
    },
    rows: () => rowsOf(fixture, kind),
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

type At = Awaited<ReturnType<typeof opened>>

async function rowsOf(fixture: Fixture, kind: string): Promise<Record<string, unknown>[]> {
  const sql = 'SELECT "user", ip, device, locale FROM visits ORDER BY "user", ip'
  if (kind === 'postgres') return query(fixture.target.url, sql)
  using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
  return file.all(sql)
}

async function everything(
  fixture: Fixture,
  kind: string,
  sink: Sink,
  said: readonly unknown[],
): Promise<Buffer> {
  const ledger = [
    await sink.ledger.receipts({}),
    await sink.ledger.rejects({ limit: 1000 }),
    await sink.ledger.deadLetters({ limit: 1000, all: true }),
  ]
  const told = inspect([said, ledger], {
    depth: 20,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
  })
  return Buffer.concat([
    Buffer.from(told),
    kind === 'sqlite' ? await files(fixture) : await tables(fixture.target.url),
  ])
}

/** The file of the database as it lies on the disk, its log and freed pages included. */
async function files(fixture: Fixture): Promise<Buffer> {
  const path = fixture.target.url.slice('sqlite:'.length)
  const parts = [path, `${path}-wal`, `${path}-shm`].filter((each) => existsSync(each))
  return Buffer.concat(await Promise.all(parts.map((each) => readFile(each))))
}

async function tables(url: string): Promise<Buffer> {
  const names = await query<{ name: string }>(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('lading', 'public')`,
  )
  const found: string[] = []
  for (const { name } of names) {
    const rows = await query<{ row: string }>(url, `SELECT t::text AS row FROM ${name} t`)
    // Bytes are shown in hexadecimal.
    for (const { row } of rows)
      found.push(
        row,
        ...(row.match(/(?<=\\x)[0-9a-f]+/g) ?? []).map((hex) => Buffer.from(hex, 'hex').toString('latin1')),
      )
  }
  expect(names.length).toBeGreaterThan(3)
  return Buffer.from(found.join('\n'))
}

async function expectNoCanary(at: At): Promise<void> {
  const kept = await at.everything()
  for (const canary of canaries) {
    for (const form of [
      canary,
      Buffer.from(canary).toString('hex'),
      Buffer.from(canary).toString('base64').replace(/=+$/, ''),
    ]) {
      const place = kept.indexOf(form)
      expect(place < 0 ? '' : kept.toString('latin1', Math.max(0, place - 300), place + 100)).toBe('')
    }
  }
}

const deep = (levels: number) => '{"a":'.repeat(levels) + JSON.stringify(ip) + '}'.repeat(levels)
const good = JSON.stringify(visit)

/** Objects in which a canary stands somewhere; none of them fits, but the first. */
const objects: Readonly<Record<string, string>> = {
  good,
  'too long a locale': JSON.stringify({ ...visit, locale: 'x'.repeat(300) }),
  'a number where text belongs': good.replace(JSON.stringify(ip), big).replace('"RU"', '"too long"'),
  'true where text belongs': good.replace('"RU"', '"too long"').replace(JSON.stringify(device), 'true'),
  'an object in a masked field': good.replace(JSON.stringify(ip), JSON.stringify({ v4: ip })),
  'an array in a masked field': good.replace(JSON.stringify(ip), JSON.stringify([ip])),
  'an object in a known field': good.replace('"RU"', JSON.stringify({ ip })),
  'an unknown field': JSON.stringify({ ...visit, address: ip }),
  'an unknown number': good.replace('{', `{"serial":${big},`),
  'an unknown field in depth': good.replace('{', `{"more":${deep(50)},`),
  'a duplicated masked field': good.replace('{', `{"ip":${JSON.stringify(ip)},`),
  'a duplicated unknown field': good.replace(
    '{',
    `{"x":${JSON.stringify(ip)},"x":${JSON.stringify(device)},`,
  ),
  __proto__: good.replace('{', `{"__proto__":{"ip":${JSON.stringify(ip)}},`),
  'half a pair behind it': good.replace(ip, `${ip}\\ud800`),
  'half a pair in a name': good.replace('{', `{"\\udc00":${JSON.stringify(ip)},`),
  'a NUL before it': good.replace(ip, `\\u0000${ip}`),
  'escapes in the name': good.replace('"ip"', '"\\u0069p"').replace('"RU"', '"too long"'),
  'escapes in the value': good.replace(ip, '\\u0031' + ip.slice(1)).replace('"RU"', '"too long"'),
  'a name that is nearly right': good.replace('"ip"', '"IP"'),
  'no user': JSON.stringify({ ip, device_id: device }),
  'another type': JSON.stringify({ foo: ip, bar: device }),
}

/** What cannot be read as a whole. */
const broken: Readonly<Record<string, string | Buffer>> = {
  'an open object': good.slice(0, -1),
  'an open array': `[${good},`,
  'a single text': JSON.stringify(ip),
  'an array of texts': JSON.stringify([ip]),
  'no JSON': `ip=${ip}&device=${device}`,
  '200 levels': deep(200),
  'a control character': good.replace(ip, `${ip}\n`),
  'a pair of objects on one line': `${good}${good}`,
  'UTF-16': Buffer.from(good, 'utf16le'),
}

const malformed = Buffer.concat([
  Buffer.from(good.slice(0, -1)),
  Buffer.from(',"locale2":"'),
  Buffer.from([0xff]),
  Buffer.from(`${ip}"}`),
])

function everywhere(kind: 'sqlite' | 'postgres') {
  it.each<DedupKey>(['message-id', 'content', 'field:ip', 'field:user'])(
    'no message leaves a canary, told apart by %s',
    async (dedupKey) => {
      await using at = await opened(kind)
      const bodies = [
        ...Object.entries(objects),
        ...Object.entries(broken),
        ['bytes that are no text', malformed] as const,
      ]
      const headers = {
        'x-forwarded-for': ip,
        cookie: device,
        'lading-masked': `{"v":1,"masked":["ip"],"redacted":[],"x":"${ip}"}`,
      }
      await at.queue.publish(bodies.map(([name, body]) => message(name, body, headers)))
      await at.queue.publish([
        message(
          'array',
          `[${Object.values(objects).join(', ')}, ${JSON.stringify(ip)}, [${JSON.stringify(device)}]]`,
        ),
        message(
          'lines',
          [
            ...Object.values(objects),
            ...Object.values(broken).filter((each) => typeof each === 'string'),
          ].join('\n'),
        ),
        message('no good line', [...Object.values(objects).slice(1), `ip=${ip}`, '5'].join('\r\n')),
        message('bad chunk', good, { lading: JSON.stringify({ v: 1, ip }) }),
        message('no chunk', good, { lading: ip }),
      ])
      const { loaded, deadMessages, rejected } = await at.consume({ dedupKey })
      expect(loaded).toBeGreaterThan(0)
      expect(deadMessages).toBeGreaterThan(20)
      expect(rejected).toBeGreaterThan(20)
      await expectNoCanary(at)
      for (const letter of await at.letters()) await at.press(letter, visits, { dedupKey })
      await at.consume({ dedupKey, ignoreExtra: true })
      for (const letter of await at.letters()) await at.press(letter, mended, { dedupKey, ignoreExtra: true })
      await expectNoCanary(at)
      const rows = await at.rows()
      // No mask of a mask, and no row of what was not kept.
      const masks = [ip, big].map((each) => mask.apply(each))
      expect(rows.map((row) => row['ip']).filter((each) => !masks.includes(String(each)))).toEqual([])
      expect(rows.length).toBeGreaterThan(0)
    },
  )

  it('no cell of a file leaves a canary', async () => {
    await using at = await opened(kind)
    const path = join(at.fixture.folder, 'visits.csv')
    const lines = [
      'user,ip,device_id,locale,doc,extra',
      `u1,${ip},${device},RU,,${ip}`,
      `u2,${ip},${device},too long,,"${device}"`,
      `u3,"${ip}","a ""${device}"", b",too long,,`,
      `u4,${ip},${device},RU,"{""ip"":",${ip}`,
      `u5,${ip},${device},RU,,${ip},${device}`,
      `u6,"${ip}"x,${device},RU,,${ip}`,
      `,${ip},${device},too long,,${ip}`,
      `u7,unknown,${device},RU,,`,
      ip,
      '',
      `u8,\0${ip},${device},RU,,`,
    ]
    await writeFile(
      path,
      Buffer.concat([
        Buffer.from(lines.join('\n')),
        Buffer.from(`\nu9,${ip}`),
        Buffer.from([0xff]),
        Buffer.from(`,${device},too long,,\n`),
      ]),
    )
    await produce({
      paths: [path],
      model: visits,
      queue: at.queue,
      statePath: join(at.fixture.folder, 'p.db'),
      ignoreExtra: true,
    })
    expect(await at.consume({ ignoreExtra: true })).toMatchObject({
      records: 12,
      loaded: 1,
      rejected: 11,
      deadMessages: 0,
    })
    await expectNoCanary(at)
    const raws = (await at.rejects()).map(({ raw }) => Buffer.from(raw).toString('latin1'))
    const [address, serial] = [mask.apply(ip), mask.apply(device)]
    expect(raws).toEqual([
      `u2,${address},${serial},too long,,"[redacted]"`,
      `u3,"${address}","${mask.apply(`a "${device}", b`)}",too long,,`,
      `u4,${address},${serial},RU,"{""ip"":",[redacted]`,
      expect.stringMatching(/^\[redacted: \d+ bytes\]$/),
      expect.stringMatching(/^\[redacted: \d+ bytes\]$/),
      `,${address},${serial},too long,,[redacted]`,
      `u7,unknown,${serial},RU,,`,
      '[redacted: 15 bytes]',
      '',
      `u8,[redacted],${serial},RU,,`,
      `u9,[redacted],${serial},too long,,`,
    ])
  })

  it('a refused message loads once when the model is mended, with the masks that it would have had', async () => {
    await using at = await opened(kind)
    const late = { ...visit, locale: 'too long' }
    await at.queue.publish([message('m', [late, { ...late, user: 'v', ip: 'unknown-1' }], { trace: ip })])
    expect(await at.consume()).toMatchObject({ deadMessages: 1 })
    const letter = (await at.letters())[0] as StoredDeadLetter
    expect(letter.headers).toEqual({
      trace: '[redacted]',
      'lading-masked': JSON.stringify({ v: 1, masked: ['ip', 'device_id'], redacted: [] }),
    })
    expect(await at.press(letter, visits)).toMatchObject({ kind: 'refused', code: 'TOO_LONG' })
    if (kind === 'postgres')
      await at.fixture.target.execute('ALTER TABLE visits ALTER locale TYPE varchar(4000)')
    expect(await at.press(letter)).toEqual({ kind: 'applied', loaded: 2, rejected: 0, skipped: 0 })
    expect(await at.press(letter)).toEqual({ kind: 'duplicate' })
    expect(await at.rows()).toEqual([
      { user: 'u', ip: mask.apply(ip), device: mask.apply(device), locale: 'too long' },
      { user: 'v', ip: mask.apply('unknown-1'), device: mask.apply(device), locale: 'too long' },
    ])
    // The message itself comes once more.
    await at.queue.publish([message('m', [late, { ...late, user: 'v', ip: 'unknown-1' }], { trace: ip })])
    expect(await at.consume({ model: mended })).toMatchObject({ duplicates: 1, loaded: 0, deadMessages: 0 })
    await expectNoCanary(at)
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))

it('however a message is garbled, nothing of a masked field is kept', () => {
  const keeping = Keeping.of(visits) as Keeping
  const bodies = [good, `[${good}, ${good}]`, `${good}\n${good}\n${good}`, ...Object.values(objects)].map(
    (each) => Buffer.from(each),
  )
  const garbled = fc.tuple(
    fc.nat(),
    fc.nat(),
    fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '\n', ' ', 'x', '\0', 'null'),
    fc.boolean(),
  )
  let kept = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...bodies),
      fc.array(garbled, { minLength: 1, maxLength: 3 }),
      (body, changes) => {
        let changed = body.toString('latin1')
        for (const [place, length, put, cuts] of changes) {
          const at = place % (changed.length + 1)
          changed = changed.slice(0, at) + put + changed.slice(at + (cuts ? length % 6 : 0))
        }
        const { body: left } = keeping.message({ headers: {}, body: Buffer.from(changed, 'latin1') }, false)
        if (!left.toString().startsWith('[redacted: ')) kept++
        // Garbled in the right places, what was a value is a name, or the text of another field; those are
        // kept.
        const values = left
          .toString('latin1')
          .replaceAll(/"(?:[^"\\]|\\.)*"\s*:\s*|(?<="(?:user|locale)"\s*:\s*)"(?:[^"\\]|\\.)*"/g, '')
        for (const canary of canaries) expect(values.includes(canary)).toBe(false)
      },
    ),
    { numRuns: 5000 },
  )
  expect(kept).toBeGreaterThan(100)
})

it('a value whose mask throws is not kept', async () => {
  await using at = await opened()
  const throwing: Mask = {
    name: 'throwing',
    apply: (source) => {
      throw new Error(source)
    },
    all: () => [],
  }
  const model = defineModel({ table: 'visits', columns: { ...columns, ip: text().mask(throwing) } })
  await at.queue.publish([message('m', visit)])
  expect(await at.consume({ model })).toMatchObject({ deadMessages: 1 })
  const [letter] = await at.letters()
  expect(letter?.detail).toBe('column ip: the mask of the model threw')
  await expectNoCanary(at)
})

it('the search finds what a model without masks keeps', async () => {
  await using at = await opened()
  const plain = defineModel({
    table: 'visits',
    columns: { ...columns, ip: text(), device: text().from('device_id') },
  })
  await at.queue.publish([message('m', { ...visit, locale: 'too long' })])
  await at.consume({ model: plain })
  await expect(expectNoCanary(at)).rejects.toThrow('to be')
})

it.each<DedupKey>(['content', 'field:ip', 'field:event'])(
  'what was masked keeps its identity in a replay: %s',
  async (dedupKey) => {
    await using at = await opened()
    const events = [1, 2].map((n) => ({ ...visit, ip: `${ip}${n}`, event: `e${n}`, locale: 'too long' }))
    const known = defineModel({ table: 'visits', columns: { ...columns, event: text() } })
    await at.queue.publish([message('m', events)])
    expect(await at.consume({ dedupKey, model: known })).toMatchObject({ deadMessages: 1 })
    const letter = (await at.letters())[0] as StoredDeadLetter
    const fits = defineModel({ table: 'visits', columns: { ...columns, event: text(), locale: text() } })
    expect(await at.press(letter, fits, { dedupKey })).toMatchObject({ kind: 'applied', loaded: 2 })
    await at.queue.publish([message('n', events), message('m', events)])
    expect(await at.consume({ dedupKey, model: fits })).toMatchObject({
      duplicates: 2,
      loaded: 0,
      deadMessages: 0,
    })
    await expectNoCanary(at)
  },
)

it('a value that was not kept does not become a row when the model learns its field', async () => {
  await using at = await opened()
  await at.queue.publish([
    message('a', { ...visit, note: ip }),
    message('b', good.replace('"RU"', JSON.stringify([ip]))),
  ])
  expect(await at.consume({ model: visits })).toMatchObject({ deadMessages: 2 })
  const [a, b] = (await at.letters()) as [StoredDeadLetter, StoredDeadLetter]
  await at.fixture.target.execute('ALTER TABLE visits ADD COLUMN note TEXT')
  expect(await at.press(a, widened)).toEqual({
    kind: 'refused',
    code: 'VALUE_REDACTED',
    detail: 'column note: the value of field "note" was not kept',
  })
  expect(await at.press(b, mended)).toMatchObject({ kind: 'refused', code: 'VALUE_REDACTED' })
  expect(await at.press(a, visits, { ignoreExtra: true })).toMatchObject({ kind: 'applied', loaded: 1 })
  expect(await at.rows()).toEqual([
    { user: 'u', ip: mask.apply(ip), device: mask.apply(device), locale: 'RU' },
  ])
})

it('records whose key was not kept are not taken for one', async () => {
  await using at = await opened()
  await at.queue.publish([
    message(
      'm',
      [1, 2].map((n) => ({ ...visit, user: `u${n}`, event: `${ip}-${n}` })),
    ),
  ])
  expect(await at.consume()).toMatchObject({ deadMessages: 1 })
  const letter = (await at.letters())[0] as StoredDeadLetter
  const pressed = await at.press(letter, visits, { dedupKey: 'field:event' })
  expect(pressed).toMatchObject({ kind: 'refused', code: 'VALUE_REDACTED' })
  expect(await at.press(letter, visits, { ignoreExtra: true })).toMatchObject({ kind: 'applied', loaded: 2 })
})

it('a body that could not be read is not kept, and its replay says so', async () => {
  await using at = await opened()
  await at.queue.publish([message('m', `${good} oops`)])
  await at.consume()
  const letter = (await at.letters())[0] as StoredDeadLetter
  expect(Buffer.from(letter.body).toString()).toBe(`[redacted: ${good.length + 5} bytes]`)
  expect(await at.press(letter)).toMatchObject({
    kind: 'refused',
    code: 'BODY_NOT_KEPT',
    detail: expect.stringContaining('send it again'),
  })
})

it('a message of a newer version, and one that is set aside, are kept without a canary', async () => {
  await using at = await opened()
  const header = JSON.stringify({ v: 99, pipeline: 'visits', note: ip })
  await at.queue.publish([
    message('newer', visit, { lading: header }),
    message('aside', { ...visit, note: device }),
  ])
  expect(await at.consume({ setAside: ['message:aside'] })).toMatchObject({ deadMessages: 2, loaded: 0 })
  expect((await at.letters()).map(({ code }) => code).toSorted()).toEqual(['ENVELOPE_NEWER', 'SET_ASIDE'])
  await expectNoCanary(at)
})

it('nobody can say of his own message that it is masked already', async () => {
  await using at = await opened()
  const headers = { 'lading-masked': JSON.stringify({ v: 1, masked: ['ip', 'device_id'], redacted: [] }) }
  await at.queue.publish([
    message('good', visit, headers),
    message('bad', { ...visit, locale: 'too long' }, headers),
  ])
  expect(await at.consume()).toMatchObject({ loaded: 1, deadMessages: 1 })
  expect(await at.press((await at.letters())[0] as StoredDeadLetter)).toMatchObject({ kind: 'applied' })
  expect(new Set((await at.rows()).map((row) => row['ip']))).toEqual(new Set([mask.apply(ip)]))
  // Nor may a letter of a model without masks bring the header to one that has them.
  const plain = defineModel({
    table: 'visits',
    columns: { ...columns, ip: text(), device: text().from('device_id') },
  })
  await at.queue.publish([message('later', { ...visit, user: 'w', locale: 'too long' }, headers)])
  await at.consume({ model: plain })
  expect(await at.press((await at.letters())[0] as StoredDeadLetter)).toMatchObject({ kind: 'applied' })
  expect(new Set((await at.rows()).map((row) => row['ip']))).toEqual(new Set([mask.apply(ip)]))
})

it('what has failed for reasons of its own is kept masked too', async () => {
  await using at = await opened()
  const choking = wrapSink(at.sink, async (_, real) => real(), {
    write: async (batch, options) => {
      if (batch.parts.some((part) => part.key === 'message:choke'))
        throw new LadingError('SINK_FAILED', 'the test chokes on it')
      return at.sink.write(batch, options)
    },
  })
  await at.queue.publish([message('choke', visit), message('good', visit)])
  expect(await at.consume({ sink: choking })).toMatchObject({ loaded: 1, deadMessages: 1 })
  await at.queue.publish([message('tried', visit)])
  expect(await at.consume({ maxAttempts: 0 })).toMatchObject({ deadMessages: 1 })
  await at.queue.publish([message('tried too often', visit)])
  expect(await at.consume({ maxAttempts: -20 })).toMatchObject({ deadMessages: 1 })
  await at.queue.publish([message('good', { ...visit, user: 'other' })])
  expect(await at.consume()).toMatchObject({ deadMessages: 1 })
  await expectNoCanary(at)
  const kept = await at.letters()
  const verdicts = []
  for (const letter of kept)
    verdicts.push([
      letter.code,
      ((verdict) => ('code' in verdict ? verdict.code : verdict.kind))(await at.press(letter)),
    ])
  expect(verdicts).toEqual([
    ['UNPROCESSABLE', 'applied'],
    ['ATTEMPTS_EXHAUSTED', 'applied'],
    ['ATTEMPTS_EXHAUSTED', 'BODY_NOT_KEPT'],
    ['KEY_REUSED', 'KEY_REUSED'],
  ])
  expect(new Set((await at.rows()).map((row) => row['ip']))).toEqual(new Set([mask.apply(ip)]))
})

describe('a chunk of ours that dies', () => {
  async function withChunk(carry: 'bytes' | 'reference' = 'bytes') {
    const at = await opened()
    const path = join(at.fixture.folder, 'visits.csv')
    await writeFile(path, `user,ip,device_id,note\nu,${ip},${device},${ip}\n`)
    const statePath = join(at.fixture.folder, 'p.db')
    const producer = { queue: at.queue, statePath, carry, root: at.fixture.folder }
    const [load] = await produce({ paths: [path], model: widened, ...producer })
    const republish = async () => {
      const loadId = load?.loadId as string
      return republishMissing({
        ...producer,
        place: at.sink.place,
        loadId,
        known: await at.sink.ledger.progress(loadId),
      })
    }
    return { at, republish, [Symbol.asyncDispose]: () => at[Symbol.asyncDispose]() }
  }

  it('keeps no byte, stays open, and loads when it is published again; then its letter is settled', async () => {
    await using chunk = await withChunk()
    const { at, republish } = chunk
    expect(await at.consume({ model: visits })).toMatchObject({ deadMessages: 1, loaded: 0 })
    await expectNoCanary(at)
    const letter = (await at.letters())[0] as StoredDeadLetter
    expect(letter).toMatchObject({ code: 'MODEL_MISMATCH' })
    expect(await at.press(letter)).toMatchObject({
      code: 'BODY_NOT_KEPT',
      detail: expect.stringContaining('verify --republish-missing'),
    })
    expect(await at.press(letter, mended, { pipeline: 'other' })).toMatchObject({ code: 'WRONG_PIPELINE' })
    expect(await republish()).toBe(1)
    expect(await at.consume({ model: visits, ignoreExtra: true })).toMatchObject({
      loaded: 1,
      deadMessages: 0,
    })
    expect(await at.press(letter)).toEqual({ kind: 'duplicate' })
    expect(await at.letters()).toEqual([])
    expect(await republish()).toBe(0)
    expect(await at.sink.ledger.receipts({})).toMatchObject([{ records: 1, loaded: 1, rejected: 0, dead: 0 }])
    await expectNoCanary(at)
  })

  it('is not taken for one that took effect when it was counted as dead since', async () => {
    await using chunk = await withChunk()
    const { at, republish } = chunk
    await at.consume({ model: visits })
    expect(await at.letters()).toMatchObject([{ code: 'MODEL_MISMATCH', records: 0 }])
    expect(await republish()).toBe(1)
    const plain = defineModel({
      table: 'visits',
      columns: { ...columns, ip: text().notNull(), device: text().from('device_id') },
    })
    await at.consume({ model: plain })
    const letter = (await at.letters())[0] as StoredDeadLetter
    expect(await at.press(letter)).toMatchObject({
      kind: 'refused',
      code: 'BODY_NOT_KEPT',
      detail: expect.stringContaining('--again'),
    })
    expect(await at.sink.ledger.receipts({})).toMatchObject([{ records: 1, loaded: 0, dead: 1 }])
  })

  it('that refers to its bytes is read again by its replay', async () => {
    await using chunk = await withChunk('reference')
    const { at } = chunk
    const root = at.fixture.folder
    expect(await at.consume({ model: visits, root })).toMatchObject({ deadMessages: 1, loaded: 0 })
    await expectNoCanary(at)
    const letter = (await at.letters())[0] as StoredDeadLetter
    expect(letter.body).toHaveLength(0)
    expect(await at.press(letter, visits, { ignoreExtra: true, root })).toMatchObject({
      kind: 'applied',
      loaded: 1,
    })
    expect(await at.press(letter, visits, { ignoreExtra: true, root })).toEqual({ kind: 'duplicate' })
  })
})

it('a file whose first line is a record is refused without a word of it', async () => {
  await using at = await opened()
  const path = join(at.fixture.folder, 'visits.csv')
  for (const line of [`u,${ip},${device}`, `${ip},${ip},x`]) {
    await writeFile(path, `${line}\n${line}\n`)
    const error: unknown = await produce({
      paths: [path],
      model: visits,
      queue: at.queue,
      statePath: join(at.fixture.folder, 'p.db'),
    }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LadingError)
    at.said.push(error)
  }
  expect(at.said).toMatchObject([{ code: 'HEADER_MISMATCH' }, { code: 'HEADER_DUPLICATE' }])
  await at.sink.prepare()
  await expectNoCanary(at)
})

it('a warning of a mask is told once for each run', async () => {
  await using at = await opened()
  const model = defineModel({
    table: 'visits',
    columns: { ...columns, n: integer(), ip: text().mask(sha256()) },
  })
  await at.queue.publish([message('a', visit), message('b', visit)])
  await at.consume({ model })
  const warnings = (at.said as LadingEvent[]).filter(({ type }) => type === 'warning')
  expect(warnings).toEqual([{ type: 'warning', message: `visits.ip: ${sha256().warning}` }])
})
