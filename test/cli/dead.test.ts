import { describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { expectError, Folder, header, record, records, library } from './run.ts'

const wide = `
import { defineModel } from '${library}'
import { text } from '${library}'
export default defineModel({ table: 'records', columns: { record_time: text(), sensor_id: text(), value: text(), more: text() } })`

async function publish(folder: Folder): Promise<void> {
  await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
  await queue.publish([
    { key: 'theirs', body: Buffer.from('hello \u001b[31m'), headers: { from: 'elsewhere\u001b[2J' } },
  ])
}

describe.concurrent('dead letters', () => {
  it('keep what cannot be processed as a whole, to be listed and shown; the rest is loaded, exit 3', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2) })
    await folder.lading('produce', 'a.csv')
    await publish(folder)
    const run = await folder.lading('consume', '--until-empty')
    expect(run.code, run.err).toBe(3)
    expect(run.err).toContain('dead letter message:theirs: NOT_OURS: ')
    expect(folder.rows()).toBe(2)
    const list = await folder.lading('dead', 'list')
    expect(list.out).toMatch(
      /^id +key +state +records +code +detail\n1 +message:theirs +dead +0 +NOT_OURS +\S/,
    )
    expect(await folder.json('dead', 'list')).toMatchObject([
      { id: 1, key: 'message:theirs', code: 'NOT_OURS', attempts: 1 },
    ])
    const show = await folder.lading('dead', 'show', '1')
    expect(show.out).toContain('theirs: NOT_OURS, delivered 1 time, ')
    expect(show.out).toContain('from: elsewhere\\u001b[2J\n')
    expect(list.out + show.out + run.err).not.toContain('\u001b')
    expect(await folder.json('dead', 'show', '1')).toMatchObject({
      headers: { from: 'elsewhere\u001b[2J' },
      body: 'hello \u001b[31m',
    })
    // Whatever was wrong is not mended, and it stays dead.
    const replay = await folder.lading('dead', 'replay')
    expect(replay).toMatchObject({ code: 3, out: expect.stringMatching(/^1: still dead: NOT_OURS: /) })
    expectError(await folder.lading('dead', 'show', '2'), 'NOT_FOUND', 66)
    expectError(await folder.lading('dead', 'discard', '1', '2'), 'NOT_FOUND', 66)
    expect((await folder.lading('dead', 'discard', '1')).out).toBe('discarded 1 dead letter\n')
    expect((await folder.lading('dead', 'list')).out).toBe('no dead letters\n')
    expect(await folder.json('dead', 'list', '--all')).toMatchObject([{ id: 1, state: 'discarded' }])
  })

  it('are made of the message that a consumer stops at, as it says, and the rest is loaded', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'b.csv': header + record(9) })
    await folder.lading('load', 'b.csv')
    folder.sql('CREATE TRIGGER broken BEFORE INSERT ON records BEGIN INSERT INTO nowhere VALUES (1); END')
    const stopped = await folder.lading('load', 'a.csv', '--pipeline', 'p')
    expectError(stopped, 'SCHEMA_MISMATCH', 78, 'stopped at chunk', '(a.csv, line 2)')
    const [, hint = ''] =
      /to continue without the message: lading (consume --set-aside .+)\)\n$/.exec(stopped.err) ?? []
    const [, , key, ...repeated] = hint.split(' ')
    expect(repeated).toEqual(['--pipeline', 'p'])
    const run = await folder.lading('consume', '--until-empty', ...hint.split(' ').slice(1))
    expect(run.code, run.err).toBe(3)
    expect(await folder.json('dead', 'list')).toMatchObject([{ key, code: 'SET_ASIDE', records: 1 }])
    folder.sql('DROP TRIGGER broken')
    // The pipeline of the last run would be known.
    await folder.lading('load', 'b.csv')
    expect(await folder.lading('dead', 'replay')).toMatchObject({
      code: 0,
      out: 'left: 1 dead letter in pipeline p, which --model, --table and --pipeline choose\n',
    })
    const replay = await folder.lading('dead', 'replay', '--pipeline', 'p')
    expect(replay).toMatchObject({ code: 0, out: expect.stringContaining('loaded 1, rejected 0') })
  })

  it('and rejects of another model are not called absent by a replay, which says what chooses them', async () => {
    await using folder = await Folder.make({ 'bad.csv': header + '2021-01-01 00:00:00+00,a,x\n' })
    await folder.lading('load', 'bad.csv', '--allow-rejects')
    const replay = (...more: string[]) => folder.lading('rejects', 'replay', ...more, '--pipeline', 'other')
    expect((await replay()).out).toMatch(
      /^no rejects to replay in pipeline other, which --model, --table and --pipeline choose\n$/,
    )
    const named = await replay('1')
    expect(named.out).toMatch(
      /^1: still rejected: WRONG_PIPELINE: .*\(replay it with the --model and --pipeline of its load\)\n$/,
    )
    const letters = await folder.lading('dead', 'replay', '--pipeline', 'other')
    expect(letters.out).toBe(
      'no dead letters to replay in pipeline other, which --model, --table and --pipeline choose\n',
    )
  })

  it('of messages without an id say what to do, and are loaded by a replay that says what tells them apart', async () => {
    await using folder = await Folder.make({ 'wide.ts': wide })
    const body = '{"record_time":"1","sensor_id":"2","value":3,"more":4}'
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      await queue.publish([{ key: '', body: Buffer.from(body), headers: {} }])
    }
    expect((await folder.lading('consume', '--until-empty', '--model', './wide.ts')).code).toBe(3)
    expect(await folder.json('dead', 'list')).toMatchObject([{ code: 'KEY_MISSING', key: 'message:' }])
    const replay = (...more: string[]) =>
      folder.lading('dead', 'replay', '1', '--model', './wide.ts', ...more)
    expect(await replay()).toMatchObject({ code: 3, out: expect.stringContaining('KEY_MISSING') })
    expect(await replay('--dedup-key', 'field:sensor_id')).toMatchObject({
      code: 0,
      out: '1: loaded 1, rejected 0, skipped 0\n',
    })
    expect(await replay('--dedup-key', 'field:sensor_id')).toMatchObject({
      code: 0,
      out: '1: it was already applied\n',
    })
    expect(folder.rows()).toBe(1)
  })

  it('of a chunk of another model are loaded by a replay with its own, and a second replay loads nothing', async () => {
    await using folder = await Folder.make({
      'a.csv': 'record_time,sensor_id,value,more\n1,2,3,4\n5,6,7,8\n',
      'wide.ts': wide,
    })
    expect((await folder.lading('produce', 'a.csv', '--model', './wide.ts')).code).toBe(0)
    const run = await folder.lading('consume', '--until-empty', '--to', 'sqlite:t.db', '--model', 'records')
    expect(run.code, run.err).toBe(3)
    const verify = await folder.lading('verify', '--to', 'sqlite:t.db')
    expect(verify).toMatchObject({
      code: 3,
      out: expect.stringContaining('2 records in dead letters: lading dead list'),
    })
    expect((await folder.lading('verify', '--to', 'sqlite:t.db', '--allow-rejects')).code).toBe(0)
    expect(await folder.json('dead', 'list', '--to', 'sqlite:t.db')).toMatchObject([
      { code: 'MODEL_MISMATCH', records: 2 },
    ])
    // Whose model is not named is left, and said to be unless its id was.
    const others = (...ids: string[]) =>
      folder.lading('dead', 'replay', ...ids, '--to', 'sqlite:t.db', '--pipeline', 'other')
    expect((await others()).out).toContain('no dead letters to replay in pipeline other')
    expect((await others('1')).out).toMatch(/^1: .*WRONG_PIPELINE/)
    // Its table has to fit as well.
    folder.sql('DROP TABLE records', 't.db')
    const replay = () => folder.lading('dead', 'replay', '1', '--to', 'sqlite:t.db', '--model', './wide.ts')
    expect(await replay()).toMatchObject({ code: 0, out: '1: loaded 2, rejected 0, skipped 0\n' })
    expect(await replay()).toMatchObject({ code: 0, out: '1: it was already applied\n' })
    expect(folder.rows('records', 't.db')).toBe(2)
    expect(await folder.lading('verify', '--to', 'sqlite:t.db')).toMatchObject({ code: 0 })
    expect(await folder.json('dead', 'list', '--to', 'sqlite:t.db')).toEqual([])
    expect(await folder.json('dead', 'list', '--to', 'sqlite:t.db', '--all')).toMatchObject([
      { state: 'replayed' },
    ])
  })
})
