/** What is kept of a refused record says where it is wrong, and suffices to load it once it is mended. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ConsumerOptions, createConsumer } from '../../src/consumer/consumer.ts'
import { editReject, replayRejects, type ReplayRejectsOptions } from '../../src/review/rejects.ts'
import type { Dialect } from '../../src/format/csv/dialect.ts'
import { integer, json, text, varchar } from '../../src/model/columns.ts'
import { hmacSha256, maskKey } from '../../src/model/mask.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { produce } from '../../src/producer/produce.ts'
import type { StoredReject } from '../../src/sink/ledger.ts'
import { query, Fixture } from '../support/fixture.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { describePostgres } from '../../tooling/servers/database.ts'

const notes = defineModel({
  table: 'notes',
  columns: {
    id: integer().notNull(),
    note: text().from('Note'),
    n: integer(),
    key: text().generated('recordKey'),
  },
})

const members = defineModel({
  table: 'members',
  columns: { id: integer().notNull(), note: text().from('Note') },
  primaryKey: ['id'],
  onConflict: 'error',
})

const mask = hmacSha256({ keys: [maskKey('k1', 'k'.repeat(32))] })
const visits = defineModel({
  table: 'visits',
  columns: { user: text().notNull(), ip: varchar(100).notNull().mask(mask), n: integer(), doc: json() },
})
const ip = '199.172.111.135'

async function opened(kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const consume = (model: Model, more: Partial<ConsumerOptions> = {}) =>
    createConsumer({ queue, sink, model, ...more }).run({ untilEmpty: true })
  return {
    sink,
    url: fixture.target.url,
    load: async (model: Model, csv: string | Buffer, dialect: Partial<Dialect> = {}) => {
      const path = join(fixture.folder, 'a.csv')
      await writeFile(path, csv)
      await produce({
        paths: [path],
        model,
        queue,
        statePath: join(fixture.folder, 'state.db'),
        dialect: { delimiter: ',', quote: '"', header: true, ...dialect },
      })
      return consume(model)
    },
    send: async (model: Model, body: string, more: Partial<ConsumerOptions> = {}, key = 'm') => {
      await queue.publish([{ key, body: Buffer.from(body), headers: {} }])
      return consume(model, more)
    },
    rejects: () => sink.ledger.rejects({ limit: 1000 }),
    first: async () => (await sink.ledger.rejects({ limit: 1 }))[0] as StoredReject,
    replay: async (model: Model, more: Partial<ReplayRejectsOptions> = {}) =>
      replayRejects(await sink.ledger.rejects({ limit: 1000 }), { sink, model, ...more }),
    run: async (sql: string): Promise<void> => {
      if (kind === 'postgres') return void (await query(fixture.target.url, sql))
      using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
      file.exec(sql)
    },
    rows: async (table: string): Promise<unknown[]> => {
      const sql = `SELECT * FROM ${table} ORDER BY 1, 2`
      if (kind === 'postgres') return query(fixture.target.url, sql)
      using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
      return file.all<object>(sql).map((row) => ({ ...row }))
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

const marked = ({ raw, edited, span }: StoredReject): string | undefined =>
  span && Buffer.from(edited ?? raw).toString('utf8', span.start, span.end)

const loaded = { kind: 'applied', loaded: 1, rejected: 0, skipped: 0 }

describe('a reject', () => {
  it('of CSV says where in its record it is wrong', async () => {
    await using at = await opened()
    await at.load(
      notes,
      Buffer.concat([
        Buffer.from(
          `id,Note,n\nx1,a,1\n1,"b ""\nc""",'2'\n,d,1\n1,e,1,2,3\n1\n\n1,f"g,1\n1,"h"i,1\n1,j,"x""y"\n`,
        ),
        Buffer.from('1,\xff,1\n1,a\0b,2\n', 'latin1'),
      ]),
    )
    expect((await at.rejects()).map((reject) => [reject.code, marked(reject)])).toEqual([
      ['BAD_INTEGER', 'x1'],
      ['BAD_INTEGER', "'2'"],
      ['NULL_NOT_ALLOWED', ''],
      ['COLUMN_COUNT', '2,3'],
      ['COLUMN_COUNT', ''],
      ['BLANK_LINE', ''],
      ['BAD_QUOTE', 'f"g'],
      ['BAD_QUOTE', '"h"i'],
      ['BAD_INTEGER', '"x""y"'],
      ['BAD_ENCODING', '\ufffd'],
      ['NUL_BYTE', '\0'],
    ])
    expect((await at.rejects())[4]?.span).toEqual({ start: 1, end: 1 })
  })

  it('of a message says where in its record it is wrong', async () => {
    await using at = await opened()
    const lines = [
      '{"id":1}',
      '{"id":1,"n":"x"}',
      '{"id":2, "Note":["a"]}',
      '{"id":3,"odd":1}',
      '{"id":4,"id":4}',
      '{"id":5',
      '{"Note":"b"}',
    ]
    await at.send(notes, lines.join('\n'))
    expect((await at.rejects()).map((reject) => [reject.line, reject.code, marked(reject)])).toEqual([
      [2, 'BAD_INTEGER', '"x"'],
      [3, 'NESTED_VALUE', '["a"]'],
      [4, 'EXTRA_FIELD', 'odd'],
      [5, 'DUPLICATE_FIELD', 'id'],
      [6, 'BAD_JSON', ''],
      [7, 'NULL_NOT_ALLOWED', undefined],
    ])
  })
})

describePostgres('a reject of the database', () => {
  it('says where in its record it is wrong, where the database names the column', async () => {
    await using at = await opened('postgres')
    await query(at.url, 'CREATE TABLE strict (id int PRIMARY KEY, note text NOT NULL)')
    const strict = defineModel({
      table: 'strict',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
    })
    await at.load(strict, `note,id\nx,1\n,2\ny,1\n`)
    expect((await at.rejects()).map(({ code, line, span }) => [code, line, span])).toEqual([
      ['CONSTRAINT_NOT_NULL', 3, { start: 0, end: 0 }],
      ['CONSTRAINT_UNIQUE', 4, undefined],
    ])
  })
})

for (const kind of ['sqlite', 'postgres'] as const) {
  const describeIt = kind === 'postgres' ? describePostgres : describe
  describeIt(`a replay (${kind})`, () => {
    it('reads the record as its load was read: delimiter, quotes, fields, and the key of the record', async () => {
      await using at = await opened(kind)
      await at.load(notes, `n;Note;id\n1;'a;\n''b';x\n2;c;3\n`, { delimiter: ';', quote: "'" })
      const reject = await at.first()
      expect(Buffer.from(reject.raw).toString()).toBe("1;'a;\n''b';x")
      expect(await at.replay(notes)).toMatchObject([{ kind: 'refused', code: 'BAD_INTEGER' }])
      await editReject(reject, Buffer.from("1;'a;\n''b';7\r\n"), { sink: at.sink, model: notes })
      expect(await at.replay(notes)).toEqual([loaded])
      expect(await at.rows('notes')).toEqual([
        { id: 3, note: 'c', n: 2, key: `${reject.loadId}/2` },
        { id: 7, note: "a;\n'b", n: 1, key: `${reject.loadId}/1` },
      ])
    })

    it('of a record of a message loads it, and its message comes again as a duplicate', async () => {
      await using at = await opened(kind)
      const body = '{"id":1}\n{"id":"x","Note":"a"}'
      await at.send(notes, body)
      const reject = await at.first()
      await editReject(reject, Buffer.from(' {"id":2,"Note":"a"}\n'), { sink: at.sink, model: notes })
      expect(await at.replay(notes)).toEqual([loaded])
      expect(await at.send(notes, body)).toMatchObject({ duplicates: 1, loaded: 0 })
      expect(await at.rows('notes')).toMatchObject([
        { id: 1, key: 'm' },
        { id: 2, key: 'm#2' },
      ])
    })

    it('of records that a field tells apart takes their keys', async () => {
      await using at = await opened(kind)
      const dedupKey = 'field:Note'
      await at.send(notes, '{"id":1,"Note":"a"}\n{"id":"x","Note":"b"}\n{"id":"x","Note":"c"}', { dedupKey })
      for (const reject of await at.rejects()) {
        const mended = Buffer.from(Buffer.from(reject.raw).toString().replace('"x"', '2'))
        await editReject(reject, mended, { sink: at.sink, model: notes })
      }
      // The second was sent once more meanwhile.
      await at.send(notes, '{"id":2,"Note":"c"}', { dedupKey }, 'n')
      expect(await at.replay(notes, { dedupKey })).toEqual([loaded, { kind: 'duplicate' }])
      expect(await at.send(notes, '{"id":2,"Note":"b"}', { dedupKey }, 'o')).toMatchObject({ duplicates: 1 })
      expect(await at.send(notes, '{"id":3,"Note":"b"}', { dedupKey }, 'p')).toMatchObject({
        deadMessages: 1,
      })
      expect(await at.rejects()).toEqual([])
      expect(await at.rows('notes')).toMatchObject([{ id: 1 }, { id: 2 }, { id: 2 }])
    })
    it('of a record that the database refused under a key of its own loads it, mended or not, and it comes again as a duplicate', async () => {
      await using at = await opened(kind)
      const dedupKey = 'field:Note'
      for (const [key, note] of Object.entries({ m: 'a', n: 'b', o: 'c' })) {
        await at.send(members, JSON.stringify({ id: 1, Note: note }), { dedupKey }, key)
      }
      const [, third] = await at.rejects()
      await editReject(third as StoredReject, Buffer.from('{"id":2,"Note":"c"}'), {
        sink: at.sink,
        model: members,
      })
      await at.run('DELETE FROM members')
      expect(await at.replay(members, { dedupKey })).toEqual([loaded, loaded])
      expect(await at.rows('members')).toMatchObject([
        { id: 1, note: 'b' },
        { id: 2, note: 'c' },
      ])
      expect(await at.send(members, '{"id":1,"Note":"b"}', { dedupKey }, 'p')).toMatchObject({
        duplicates: 1,
      })
      expect(await at.rejects()).toEqual([])
    })
  })
}

describe('of a model with masks', () => {
  it('a replay masks nothing twice, and what is typed into masked fields is masked before it is kept', async () => {
    await using at = await opened()
    await at.load(visits, `user,ip,n\na,${ip},x\nb,${ip},y\n`)
    const [first, second] = await at.rejects()
    expect(marked(first as StoredReject)).toBe('x')
    const options = { sink: at.sink, model: visits }
    const kept = Buffer.from((first as StoredReject).raw).toString()
    await editReject(first as StoredReject, Buffer.from(kept.replace(/x$/, '1')), options)
    await editReject(second as StoredReject, Buffer.from(`b,${ip},2`), options)
    await expect(editReject(first as StoredReject, Buffer.from('a,"b'), options)).rejects.toMatchObject({
      code: 'RECORD_NOT_KEPT',
    })
    await expect(
      editReject(first as StoredReject, Buffer.from('x'), { ...options, model: notes }),
    ).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    })
    for (const { edited } of await at.rejects())
      expect(Buffer.from(edited ?? []).toString()).not.toContain(ip)
    expect(await at.replay(visits)).toEqual([loaded, loaded])
    expect(await at.rows('visits')).toEqual([
      { user: 'a', ip: mask.apply(ip), n: 1, doc: null },
      { user: 'b', ip: mask.apply(ip), n: 2, doc: null },
    ])
  })

  it('what was not kept is refused, with what to do, until the record is given whole', async () => {
    await using at = await opened()
    await at.load(visits, `user,ip,n\na,"x"y,1\n`)
    await at.send(
      visits,
      `{"user":"u","ip":"${ip}"}\n{"user":"b","ip":"\\ud800","n":1}\n{"user":["c"],"ip":"${ip}","n":2}`,
    )
    const codes = ['RECORD_NOT_KEPT', 'VALUE_REDACTED', 'VALUE_REDACTED']
    expect(await at.replay(visits)).toMatchObject(codes.map((code) => ({ kind: 'refused', code })))
    // Whose reason tells more stays.
    expect((await at.rejects()).map(({ code }) => code)).toEqual([
      'BAD_QUOTE',
      'VALUE_REDACTED',
      'VALUE_REDACTED',
    ])
    const whole = [`a,${ip},1`, `{"user":"b","ip":"${ip}","n":1}`, `{"user":"c","ip":"${ip}","n":2}`]
    for (const [index, reject] of (await at.rejects()).entries()) {
      await editReject(reject, Buffer.from(whole[index] as string), { sink: at.sink, model: visits })
    }
    expect(await at.replay(visits)).toEqual([loaded, loaded, loaded])
    expect(await at.rows('visits')).toMatchObject(
      ['a', 'b', 'c', 'u'].map((user) => ({ user, ip: mask.apply(ip) })),
    )
  })
})

it('a record of which nobody wrote down what was masked is refused by a model with masks', async () => {
  await using at = await opened()
  await at.send(visits, `{"user":"a","ip":"${ip}","n":"x"}\n{"user":"b","ip":"${ip}","n":1}`)
  const old = { ...(await at.first()), masked: undefined }
  expect(await replayRejects([old], { sink: at.sink, model: visits })).toMatchObject([
    { kind: 'refused', code: 'RECORD_NOT_KEPT', detail: expect.stringContaining('was not recorded') },
  ])
})

it('a record that was cut, or whose columns nobody wrote down, is refused, and stays as it was', async () => {
  await using at = await opened()
  await at.load(notes, `id,Note,n\nx,${'a'.repeat(70_000)},1\n`)
  const reject = await at.first()
  expect(marked(reject)).toBe('x')
  expect(await at.replay(notes)).toMatchObject([{ kind: 'refused', code: 'RECORD_NOT_KEPT' }])
  const old = { ...reject, layout: undefined, raw: Buffer.from('1,a,1') }
  expect(await replayRejects([old], { sink: at.sink, model: notes })).toMatchObject([
    { kind: 'refused', code: 'RECORD_NOT_KEPT' },
  ])
  const other = defineModel({ table: 'notes', columns: { id: integer() } })
  const whole = { ...reject, raw: Buffer.from('1,a,1') }
  expect(await replayRejects([whole], { sink: at.sink, model: other })).toMatchObject([
    { kind: 'refused', code: 'MODEL_MISMATCH' },
  ])
  expect(await replayRejects([whole], { sink: at.sink, model: notes, pipeline: 'other' })).toMatchObject([
    { code: 'WRONG_PIPELINE' },
  ])
  expect(await at.first()).toEqual(reject)
  await editReject(reject, Buffer.from('1,a,1\n2,b,2'), { sink: at.sink, model: notes })
  expect(await at.replay(notes)).toMatchObject([
    { kind: 'refused', detail: 'the text holds more than one record' },
  ])
  expect(marked(await at.first())).toBe('\n2,b,2')
})
