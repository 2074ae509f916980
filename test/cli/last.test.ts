import { mkdir, readFile, rename } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { urlWithoutPassword } from '../../src/core/url.ts'
import { Folder, header, library, pasted, record, records } from './run.ts'

const lastOf = async (folder: Folder) =>
  JSON.parse(await readFile(folder.at('.lading/last.json'), 'utf8')) as unknown

describe.concurrent('what the last run in a folder used', () => {
  it('is used by commands that look, and said', async () => {
    await using folder = await Folder.make({ 'a.csv': header + record(1) + record(2, 'x') })
    await folder.lading('load', 'a.csv', '--to', 'sqlite:mine.db', '--model', 'records', '--pipeline', 'mine')
    expect(await lastOf(folder)).toEqual({ to: 'sqlite:mine.db', model: 'records', pipeline: 'mine' })
    const [verify, rejects, other] = await Promise.all([
      folder.lading('verify'),
      folder.lading('rejects', 'list'),
      folder.lading('status', '--to', 'sqlite:./lading.db'),
    ])
    expect(verify).toMatchObject({ code: 3, out: expect.stringMatching(/a\.csv +2 +1 +1/) })
    expect(verify.err).toBe(
      'using --to sqlite:mine.db of the last run in this folder; an option says otherwise\n',
    )
    expect(rejects.out).toMatch(/^1 +a\.csv:3/m)
    expect(other).toMatchObject({ out: expect.stringContaining('no load yet'), err: '' })
    const replay = await folder.lading('rejects', 'replay', '1')
    expect(replay.err).toContain('--to sqlite:mine.db --model records')
    // Who states a table means no model of before.
    const table = await folder.lading('rejects', 'replay', '1', '--table', 'records')
    expect(table.err).toMatch(/^using --to sqlite:mine\.db of the last run/)
    const shown = await folder.lading('config', 'verify')
    expect(shown.out).toMatch(/^to +sqlite:mine\.db +\.lading\/last\.json$/m)
    expect(shown.err).toBe('')
  })

  it('is not where a load goes by itself: it says so, with the command that does', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2), "b's.csv": header + record(9) })
    await folder.lading('load', 'a.csv', '--to', 'sqlite:mine.db')
    const run = await folder.lading('load', "b's.csv", '--model', 'records')
    expect(run.code, run.err).toBe(0)
    expect([folder.rows(), folder.rows('records', 'mine.db')]).toEqual([1, 2])
    const [line = ''] = /lading load .*$/m.exec(run.err) ?? []
    expect(line).toBe("lading load 'b'\\''s.csv' --to sqlite:mine.db --model records")
    expect((await folder.paste(line)).code).toBe(0)
    expect(folder.rows('records', 'mine.db')).toBe(3)
  })

  it('is the model of its own pipeline alone: rejects of others are loaded as their loads were', async () => {
    await using folder = await Folder.make({
      'k.csv': 'id,name\n1,a\nx,b\n',
      'ord.csv': 'id,name\ny,c\n',
      'ord.ts': `import { defineModel, integer, text } from '${library}'
        export default defineModel({ table: 'ord', columns: { id: integer(), name: text() } })`,
    })
    await folder.lading('load', 'k.csv', '--columns', 'id:integer')
    await folder.lading('load', 'ord.csv', '--model', './ord.ts', '--pipeline', 'mine')
    const edits = [
      await folder.lading('rejects', 'edit', '1', '--record', '5,b'),
      await folder.lading('rejects', 'edit', '2', '--record', '6,c'),
    ]
    const commands = edits.map(({ out }) => pasted(out, 'rejects replay'))
    expect((await folder.lading('rejects', 'show', '2')).out).toContain(`then load it: ${commands[1]}\n`)
    for (const [index, command] of commands.entries())
      expect((await folder.paste(command)).out).toBe(`${index + 1}: loaded\n`)
    expect([folder.sql('SELECT id FROM k'), folder.sql('SELECT id FROM ord')]).toEqual([
      [{ id: 1 }, { id: 5 }],
      [{ id: 6 }],
    ])
  })

  it('may have been another model than that of a reject, which a replay leaves, and says so', async () => {
    await using folder = await Folder.make({
      'ord.csv': 'id\ny\n',
      'k.csv': 'id\n1\n',
      'ord.ts': `import { defineModel, integer } from '${library}'
        export default defineModel({ table: 'ord', columns: { id: integer() } })`,
    })
    await folder.lading('load', 'ord.csv', '--model', './ord.ts')
    await folder.lading('load', 'k.csv')
    const told = 'load it: rejects replay 1 with --pipeline ord and its --model\n'
    expect((await folder.lading('rejects', 'edit', '1', '--record', '7')).out).toBe(`kept; ${told}`)
    expect((await folder.lading('rejects', 'show', '1')).out).toContain(`then ${told}`)
    await rename(folder.at('ord.ts'), folder.at('away.ts'))
    await folder.write('.lading/last.json', JSON.stringify({ model: './ord.ts', pipeline: 'ord' }))
    expect((await folder.lading('rejects', 'show', '1')).out, 'its module is gone').toContain(`then ${told}`)
    await rename(folder.at('away.ts'), folder.at('ord.ts'))
    await folder.lading('load', 'k.csv', '--again')
    const left = 'left: 1 reject in pipeline ord, which --model, --table and --pipeline choose\n'
    expect((await folder.lading('rejects', 'replay')).out).toBe(left)
    expect(await folder.lading('rejects', 'replay', '1')).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^1: still rejected: WRONG_PIPELINE: .* ord, whose model is not given \(/),
    })
    const again = await folder.lading('rejects', 'edit', '1', '--record', '8', '--model', './ord.ts')
    expect((await folder.paste(pasted(again.out, 'rejects replay'))).out).toBe('1: loaded\n')
  })

  it('stays known to the producer of the same queue, and what cannot be kept is no fault', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'other/a.csv': records(1) })
    await folder.lading('consume', '--until-empty', '--to', 'sqlite:mine.db')
    await folder.lading('produce', 'a.csv')
    expect(await lastOf(folder)).toEqual({ to: 'sqlite:mine.db' })
    const env = { LADING_TO: 'sqlite:mine.db?password=CANARY' }
    await folder.run(['consume', '--until-empty'], { env })
    await folder.lading('produce', 'a.csv', '--again')
    expect(await lastOf(folder)).toEqual({ to: 'sqlite:mine.db', without: 'to' })
    await using full = await Folder.make({ 'a.csv': records(1) })
    await mkdir(full.at('.lading/last.json'), { recursive: true })
    expect((await full.lading('load', 'a.csv', '--to', 'sqlite:mine.db')).code).toBe(0)
    expect((await full.lading('verify')).code).toBe(66)
  })

  it('holds no password', async () => {
    const word = fc.stringMatching(/^[\w%.-]{1,9}$/)
    const url = fc.record({
      user: word,
      password: fc.string({ minLength: 1 }),
      query: fc.constantFrom('', '?queue=q'),
    })
    fc.assert(
      fc.property(url, ({ user, password, query }) => {
        const secret = `CANARY${password}CANARY`
        const kept = urlWithoutPassword(`amqp://${user}:${secret}@host/v${query}`)
        // What cannot be told apart is not kept at all.
        expect([undefined, `amqp://${user}@host/v${query}`]).toContain(kept)
      }),
    )
    expect(urlWithoutPassword('postgresql://me@host/db?sslmode=require&password=x')).toBe(
      'postgresql://me@host/db?sslmode=require',
    )
    expect(urlWithoutPassword('sqlite:a@b.db?key=x')).toBe('sqlite:a@b.db')
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const env = { LADING_QUEUE: 'embedded:q.db', LADING_TO: 'sqlite:mine.db?password=CANARY' }
    await folder.run(['load', 'a.csv'], { env })
    expect(await lastOf(folder)).toEqual({ to: 'sqlite:mine.db', queue: 'embedded:q.db', without: 'to' })
    expect((await folder.lading('verify')).err).toMatch(/its password is not kept: set LADING_TO$/m)
  })
})
