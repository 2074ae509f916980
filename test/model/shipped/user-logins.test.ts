/**
 * Logins from the message to the row: what a person's address becomes, and what becomes of messages that are
 * none.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../../src/consumer/consumer.ts'
import { replayLetter as replay } from '../../../src/review/letters.ts'
import type { LadingEvent } from '../../../src/core/events.ts'
import { SqliteFile } from '../../../src/core/sqlite.ts'
import { text } from '../../../src/model/columns.ts'
import { hmacSha256, maskKey, sha256 } from '../../../src/model/mask.ts'
import type { Model } from '../../../src/model/model.ts'
import { decodeRecord } from '../../../src/model/values.ts'
import { userLogins } from '../../../src/model/shipped/user-logins.ts'
import { produce } from '../../../src/producer/produce.ts'
import type { Outgoing } from '../../../src/queue/queue.ts'
import { openQueue } from '../../../src/queue/registry.ts'
import { openSink } from '../../../src/sink/registry.ts'
import type { StoredDeadLetter } from '../../../src/sink/ledger.ts'
import { Folder } from '../../cli/run.ts'

const model = userLogins({ mask: sha256() })

const login = {
  user_id: '424cdd21-063a-43a7-b91b-7ca1a833afae',
  app_version: '2.3.0',
  device_type: 'android',
  ip: '199.172.111.135',
  locale: 'RU',
  device_id: '593-47-5928',
}

const masked = {
  user_id: login.user_id,
  device_type: 'android',
  masked_ip: 'a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c',
  masked_device_id: '4f00c1a807b673887c7af517d0df68e6b41aecf8cbec26c71fe4c580664669ed',
  locale: 'RU',
  app_version: 2,
  app_version_full: '2.3.0',
}

const message = (key: string, body: unknown): Outgoing => ({
  key,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  headers: {},
})

async function opened() {
  const folder = await mkdtemp(join(tmpdir(), 'lading-logins-'))
  const queue = await openQueue(`embedded:${join(folder, 'queue.db')}`)
  const sink = await openSink(`sqlite:${join(folder, 'target.db')}`)
  const events: LadingEvent[] = []
  return {
    folder,
    queue,
    sink,
    events,
    consume: (more: Partial<ConsumerOptions> = {}) =>
      createConsumer({ queue, sink, model, onEvent: (event) => events.push(event), ...more }).run({
        untilEmpty: true,
      }),
    rows: (sql = 'SELECT * FROM user_logins ORDER BY event_id') => {
      using file = new SqliteFile(join(folder, 'target.db'))
      return file.all<Record<string, unknown>>(sql)
    },
    letters: (all = false) => sink.ledger.deadLetters({ limit: 100, all }),
    rejects: () => sink.ledger.rejects({ limit: 100 }),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

it('a login becomes a row, its address and device masked, once', async () => {
  await using at = await opened()
  const before = new Date().toISOString()
  await at.queue.publish([
    message('m1', login),
    message('m1', login),
    message('m2', [login, { ...login, locale: null, app_version: 3 }]),
  ])
  expect(await at.consume()).toMatchObject({
    messages: 3,
    duplicates: 1,
    loaded: 3,
    rejected: 0,
    deadMessages: 0,
  })
  const rows = at.rows()
  expect(rows.map(({ event_id: id }) => id)).toEqual(['m1', 'm2', 'm2#2'])
  const {
    received_at: receivedAt,
    create_date: day,
    ...row
  } = rows[0] as { received_at: string; create_date: string }
  expect(row).toEqual({ event_id: 'm1', ...masked })
  expect(receivedAt >= before && receivedAt <= new Date().toISOString().replace('Z', '999Z')).toBe(true)
  expect(day).toBe(receivedAt.slice(0, 10))
  expect(rows[2]).toMatchObject({ locale: null, app_version: 3, app_version_full: '3' })
  expect(at.events).toContainEqual({
    type: 'warning',
    message: `user_logins.masked_ip, masked_device_id: ${sha256().warning}`,
  })
})

it('records of one message keep keys of their own, whatever other messages are called', async () => {
  await using at = await opened()
  await at.queue.publish([
    message('m', [login, login]),
    message('m#2', login),
    message('m#2#1', [login, login]),
    message('#1', login),
  ])
  expect(await at.consume()).toMatchObject({ loaded: 6, skipped: 0, rejected: 0 })
  const ids = at.rows().map(({ event_id: id }) => id)
  expect(ids).toEqual(['#1#1', 'm', 'm#2', 'm#2#1', 'm#2#1#1', 'm#2#1#2'])
})

it('content and fields give their own keys', async () => {
  await using at = await opened()
  await at.queue.publish([message('', login)])
  expect(await at.consume({ dedupKey: 'content' })).toMatchObject({ loaded: 1 })
  expect(at.rows()[0]?.['event_id']).toMatch(/^[0-9a-f]{64}$/)
  await at.queue.publish([
    message('', [
      { ...login, event: 'e 1' },
      { ...login, event: 'e 2' },
    ]),
  ])
  expect(await at.consume({ dedupKey: 'field:event' })).toMatchObject({ loaded: 2, rejected: 0 })
  expect(at.rows().map(({ event_id: id }) => id)).toEqual([expect.any(String), 'e 1', 'e 2'])
  await at.queue.publish([message('', [login]), message('', [login])])
  expect(await at.consume({ dedupKey: 'field:ip' })).toMatchObject({ loaded: 1, duplicates: 1 })
  expect(at.rows().map(({ event_id: id }) => id)).toContain(sha256().apply(login.ip))
})

it('what is generated is no field of a message', async () => {
  await using at = await opened()
  await at.queue.publish([message('m', { ...login, event_id: 'mine' })])
  expect(await at.consume()).toMatchObject({ deadMessages: 1 })
  expect(await at.letters()).toMatchObject([
    { code: 'EXTRA_FIELD', detail: 'field "event_id" is not in the model' },
  ])
  await at.queue.publish([message('n', { ...login, event_id: 'mine' })])
  expect(await at.consume({ dedupKey: 'field:event_id' })).toMatchObject({ loaded: 1 })
  expect(at.rows()).toMatchObject([{ event_id: 'mine' }])
})

it('logins in a file have keys of their load, and what is generated is no column of it', async () => {
  await using at = await opened()
  const path = join(at.folder, 'logins.csv')
  const statePath = join(at.folder, 'producer.db')
  const options = { paths: [path], model, queue: at.queue, statePath, chunkBytes: 1 }
  const fields = Object.keys(login).join(',')
  const line = Object.values(login).join(',')
  await writeFile(path, `event_id,${fields}\nx,${line}\n`)
  await expect(produce(options)).rejects.toMatchObject({
    code: 'HEADER_MISMATCH',
    message: expect.stringContaining('column event_id is not'),
  })
  await writeFile(path, `${fields}\n${line}\n${line}\n`)
  const [load] = await produce(options)
  expect(await at.consume()).toMatchObject({ messages: 2, loaded: 2, rejected: 0 })
  expect(at.rows()).toMatchObject([1, 2].map((n) => ({ event_id: `${load?.loadId}/${n}`, ...masked })))
})

it('the day is that of the zone', () => {
  const there = userLogins({ mask: sha256(), zone: 'Asia/Taipei' })
  const origin = { key: 'k', at: new Date('2026-03-31T17:00:00Z') }
  expect(decodeRecord(there, login, origin)).toMatchObject({ row: { ...masked, create_date: '2026-04-01' } })
  expect(decodeRecord(model, login, origin)).toMatchObject({
    row: { create_date: '2026-03-31', received_at: '2026-03-31T17:00:00.000000Z' },
  })
})

it.each([
  ['2.3.0', 2],
  ['2.3', 2],
  ['2', 2],
  ['10.0.0-beta.1', 10],
  ['0.0.1', 0],
])('the version %j has the major number %d', (version, major) => {
  expect(decodeRecord(model, { ...login, app_version: version })).toMatchObject({
    row: { app_version: major, app_version_full: version },
  })
})

it.each(['', 'garbage', '-2', '+2', '2.', '.2', ' 2', 'v2', '2.3.x', '99999999999.0'])(
  'the version %j is refused',
  (version) => {
    const decoded = decodeRecord(model, { ...login, app_version: version })
    expect(decoded).toMatchObject({ fault: { column: 'app_version' } })
  },
)

const deep = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
const { user_id: _, ...withoutUser } = login
const bad: [name: string, body: string, code: string, column?: string][] = [
  ['another type', '{"foo":"oops_wrong_msg_type","bar":"123"}', 'EXTRA_FIELD'],
  ['broken', '{"user_id":"x",', 'NOT_OURS'],
  ['no JSON', 'oops', 'NOT_OURS'],
  ['200 levels', deep(200), 'NOT_OURS'],
  ['200 levels in a field', `{"user_id":${deep(200)}}`, 'NOT_OURS'],
  ['60 levels in a field', JSON.stringify(login).replace('"RU"', deep(60)), 'NESTED_VALUE', 'locale'],
  ['__proto__', JSON.stringify(login).replace('{', '{"__proto__":{"locale":"x"},'), 'EXTRA_FIELD'],
  [
    'beyond 2^53',
    JSON.stringify(login).replace('"2.3.0"', '9007199254740993'),
    'OUT_OF_RANGE',
    'app_version',
  ],
  ['half a pair', JSON.stringify(login).replace('RU', '\\ud800'), 'LONE_SURROGATE', 'locale'],
  [
    'half a pair in the address',
    JSON.stringify(login).replace('199.', '\\udfff'),
    'LONE_SURROGATE',
    'masked_ip',
  ],
  ['a NUL', JSON.stringify(login).replace('199.', '\\u0000'), 'NUL_BYTE', 'masked_ip'],
  ['a long locale', JSON.stringify({ ...login, locale: 'x'.repeat(300) }), 'TOO_LONG', 'locale'],
  ['no user', JSON.stringify(withoutUser), 'NULL_NOT_ALLOWED', 'user_id'],
  ['no address', JSON.stringify({ ...login, ip: null }), 'NULL_NOT_ALLOWED', 'masked_ip'],
  ['a field twice', JSON.stringify(login).replace('{', '{"ip":"1.2.3.4",'), 'DUPLICATE_FIELD'],
  ['a garbled version', JSON.stringify({ ...login, app_version: 'x' }), 'BAD_INTEGER', 'app_version'],
]

it('every bad message is a dead letter with its reason, while the others land', async () => {
  await using at = await opened()
  await at.queue.publish(
    bad.flatMap(([name, body]) => [message(name, body), message(`good after ${name}`, login)]),
  )
  expect(await at.consume()).toMatchObject({
    messages: 2 * bad.length,
    loaded: bad.length,
    deadMessages: bad.length,
  })
  const letters = await at.letters()
  expect(letters.map(({ key, code }) => [key, code])).toEqual(
    bad.map(([name, , code]) => [`message:${name}`, code]),
  )
  expect(at.rows().map(({ event_id: id }) => id)).toEqual(
    bad.map(([name]) => `good after ${name}`).toSorted(),
  )
})

it('every bad line is a reject with its reason, while the others land', async () => {
  await using at = await opened()
  const lines = [JSON.stringify(login), ...bad.flatMap(([, body]) => [body, JSON.stringify(login)])]
  await at.queue.publish([message('lines', lines.join('\n'))])
  expect(await at.consume()).toMatchObject({
    records: lines.length,
    loaded: bad.length + 1,
    rejected: bad.length,
    deadMessages: 0,
  })
  const kept = (await at.rejects()).map(({ record, code, column }) => [record, code, column])
  const expected = bad.map(([, , code, column], index) => [
    2 * index + 2,
    code === 'NOT_OURS' ? 'BAD_JSON' : code,
    column,
  ])
  expect(kept).toEqual(expected)
})

it('a login that was refused loads once when the model is mended, its masks as they would have been, however often it is pressed', async () => {
  await using at = await opened()
  const mask = hmacSha256({ keys: [maskKey('k1', 'k'.repeat(32))] })
  const strict = userLogins({ mask })
  const locale = 'x'.repeat(300)
  const body = JSON.stringify([
    { ...login, locale },
    { ...login, ip: 12345678901234567890n.toString(), locale },
  ])
  await at.queue.publish([message('m', body)])
  expect(await at.consume({ model: strict })).toMatchObject({ deadMessages: 1, loaded: 0 })
  const letter = (await at.letters())[0] as StoredDeadLetter
  expect(Buffer.from(letter.body).toString()).toBe(
    body
      .replaceAll(login.ip, mask.apply(login.ip))
      .replaceAll(login.device_id, mask.apply(login.device_id))
      .replace('12345678901234567890', mask.apply('12345678901234567890')),
  )
  expect(await replay(letter, { sink: at.sink, model: strict })).toMatchObject({
    kind: 'refused',
    code: 'TOO_LONG',
  })
  const columns = strict.columns.map((column) =>
    column.name === 'locale' ? { ...column, type: text().spec.type } : column,
  )
  const mended: Model = { ...strict, columns }
  expect(await replay(letter, { sink: at.sink, model: mended })).toEqual({
    kind: 'applied',
    loaded: 2,
    rejected: 0,
    skipped: 0,
  })
  expect(await replay(letter, { sink: at.sink, model: mended })).toEqual({ kind: 'duplicate' })
  expect(await at.letters()).toEqual([])
  expect(at.rows()).toMatchObject([
    { event_id: 'm', masked_ip: mask.apply(login.ip), masked_device_id: mask.apply(login.device_id), locale },
    { event_id: 'm#2', masked_ip: mask.apply('12345678901234567890') },
  ])
  // Its sender sends it once more.
  await at.queue.publish([message('m', body)])
  expect(await at.consume({ model: mended })).toMatchObject({ duplicates: 1, loaded: 0, deadMessages: 0 })
})

it('indexes and keys are those that are promised', async () => {
  await using at = await opened()
  await at.sink.prepare(model)
  const columns = at.rows('SELECT name, "notnull" AS required, pk FROM pragma_table_info(\'user_logins\')')
  expect(columns.filter(({ required }) => required === 0)).toMatchObject([{ name: 'locale' }])
  expect(columns.filter(({ pk }) => pk === 1)).toMatchObject([{ name: 'event_id' }])
  const indexes = at.rows(
    "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'user_logins' AND sql IS NOT NULL",
  )
  expect(indexes.map(({ sql }) => /\((.*)\)/.exec(String(sql))?.[1])).toEqual(['"user_id"', '"create_date"'])
})

it('the command line masks with the key of the environment, and says what goes without one', async () => {
  await using folder = await Folder.make()
  const queue = await openQueue(`embedded:${folder.at('q.db')}`)
  const args = [
    'consume',
    '--model',
    'user_logins',
    '--queue',
    'embedded:q.db',
    '--to',
    'sqlite:t.db',
    '--until-empty',
  ]
  const rows = () =>
    folder
      .sql<{ masked_ip: string }>('SELECT masked_ip FROM user_logins ORDER BY event_id', 't.db')
      .map((row) => row.masked_ip)
  await queue.publish([message('a', login)])
  const plain = await folder.lading(...args)
  expect(plain.code, plain.err).toBe(0)
  expect(plain.err).toContain('reversible by trying all of them')
  await queue.publish([message('b', login)])
  const keyed = await folder.run(args, { env: { LADING_MASK_KEY: 'k'.repeat(32), LADING_MASK_KEY_ID: 'k7' } })
  expect(keyed.code, keyed.err).toBe(0)
  expect(keyed.err).not.toContain('reversible')
  expect(rows()).toEqual([
    masked.masked_ip,
    hmacSha256({ keys: [maskKey('k7', 'k'.repeat(32))] }).apply(login.ip),
  ])
  const short = await folder.run(args, { env: { LADING_MASK_KEY: 'CANARY' } })
  expect(short.code).toBe(78)
  expect(short.out + short.err).not.toContain('CANARY')
  await queue[Symbol.asyncDispose]()
})
