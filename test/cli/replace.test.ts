import { describe, expect, it } from 'vitest'
import { expectError, Folder } from './run.ts'

const file = (...ids: readonly number[]) => `id,note\n${ids.map((id) => `${id},note of ${id}\n`).join('')}`
const ids = (folder: Folder): number[] =>
  folder.sql<{ id: number }>('SELECT id FROM items ORDER BY id').map(({ id }) => id)

describe.concurrent('the rows of a table', () => {
  it('are replaced by those of the files, and the same files again replace nothing unless they are to', async () => {
    await using folder = await Folder.make({ 'a.csv': file(1, 2), 'b.csv': file(3), 'c.csv': file(4, 5) })
    const load = (...args: string[]) => folder.lading('load', ...args, '--table', 'items')
    await load('a.csv')
    const replaced = await load('b.csv', 'c.csv', '--replace')
    expect(replaced, replaced.err).toMatchObject({ code: 0 })
    expect(replaced.out).toContain('this run loaded 3 records\nreplaced 2 rows of table items by 3\n')
    expect(ids(folder)).toEqual([3, 4, 5])
    expect((await load('c.csv', 'b.csv', '--replace')).out).toContain('table items holds these rows already')
    expect((await load('c.csv', 'b.csv', '--replace', '--fresh')).out).toContain(
      'replaced 3 rows of table items by 3',
    )
    // What was replaced is not loaded again by accident, and says so.
    expect((await load('a.csv')).err).toContain('--replace has put other rows in the place of its rows since')
    expect((await load('b.csv')).err).toContain('is loaded already')
    expect(await folder.lading('verify')).toMatchObject({ code: 0 })
    expect((await load('a.csv', '--fresh')).code).toBe(0)
    expect(ids(folder)).toEqual([1, 2, 3, 4, 5])
    expect((await load('b.csv', 'c.csv', '--replace')).out).toContain('replaced 5 rows of table items by 3')
    expect(await folder.json('load', 'a.csv', '--table', 'items', '--replace')).toMatchObject({
      replaced: { before: 3, rows: 2 },
      receipts: [{ source: 'a.csv', loaded: 2 }],
    })
    expect(ids(folder)).toEqual([1, 2])
    const fromInput = ['load', '-', '--table', 'items', '--replace']
    const piped = await folder.run(fromInput, { stdin: file(8, 9) })
    expect(piped.out).toMatch(/this run loaded 2 records.*\nreplaced 2 rows of table items by 2\s*$/)
    expect(ids(folder)).toEqual([8, 9])
    expect(folder.sql("SELECT name FROM sqlite_schema WHERE name LIKE '%replacing%'")).toEqual([])
  })

  it('that were gathered by a run that was killed count as loaded by nobody, and cannot be published again', async () => {
    await using folder = await Folder.make({ 'a.csv': file(1, 2), 'b.csv': file(3) })
    await folder.lading('load', 'a.csv', '--table', 'items')
    // What it leaves behind: a complete load of its pipeline into its table.
    const gathered = [
      '--table',
      'lading_replacing_items',
      '--pipeline',
      'items (replacing)',
      '--state',
      'of-run.db',
    ]
    await folder.lading('load', 'b.csv', ...gathered)
    const verified = await folder.lading('verify', '--republish-missing')
    expect(verified).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^\w+ +b\.csv +1 +0 +0 +0 +0 +1$/m),
      err: expect.not.stringContaining('NOT_FOUND'),
    })
    const told = '1 record gathered to replace the rows of a table, which has none of them yet'
    expect(verified.out).toContain(told)
    expect(verified.out).not.toMatch(/complete and adds up|let consumers run/)
    expect(await folder.json('status')).toMatchObject({
      loads: [
        { source: 'b.csv', loaded: 0, open: 1, isGathered: true },
        { source: 'a.csv', loaded: 2, open: 0 },
      ],
    })
    expect(await folder.lading('load', 'b.csv', '--table', 'items', '--replace')).toMatchObject({ code: 0 })
    expect(await folder.lading('verify')).toMatchObject({
      code: 0,
      out: expect.not.stringContaining('gathered'),
    })
  })

  it('stay if a record is rejected, unless rejects are allowed, or if another row refers to one that would be gone', async () => {
    await using folder = await Folder.make({
      'a.csv': file(1, 2),
      'bad.csv': `${file(3)}x,y\n`,
      'c.csv': file(4),
    })
    const replace = (...args: string[]) =>
      folder.lading('load', ...args, '--replace', '--to', 'sqlite:items.db')
    const items = () => folder.sql<{ id: number }>('SELECT id FROM items', 'items.db').map(({ id }) => id)
    folder.sql(
      "CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, note TEXT CHECK (note <> '')) STRICT",
      'items.db',
    )
    expect(await replace('a.csv', '--table', 'items')).toMatchObject({ code: 0 })
    expectError(
      await replace('bad.csv', '--table', 'items'),
      'REPLACE_REFUSED',
      65,
      '1 of 2 records are rejected',
      'bad.csv:3: BAD_INTEGER in id',
    )
    await folder.write('none.csv', file())
    expectError(await replace('none.csv', '--table', 'items'), 'REPLACE_REFUSED', 65, 'there is no record')
    await folder.write('none.csv', `${file()}x,y\n`)
    for (const leaving of ['--allow-rejects', '--skip-when=id=x'])
      expectError(
        await replace('none.csv', '--table', 'items', leaving),
        'REPLACE_REFUSED',
        65,
        'none of 1 record is left to replace its rows by',
      )
    expect(items()).toEqual([1, 2])
    expect(await folder.lading('verify', '--to', 'sqlite:items.db')).toMatchObject({ code: 0 })
    folder.sql('CREATE TABLE orders (item INTEGER REFERENCES items)', 'items.db')
    folder.sql('INSERT INTO orders VALUES (2)', 'items.db')
    expectError(
      await replace('c.csv', '--table', 'items'),
      'REPLACE_REFUSED',
      65,
      'table orders refer to rows that would be gone',
    )
    expect(items()).toEqual([1, 2])
    await folder.write('c.csv', file(2, 4))
    expect(await replace('c.csv', '--table', 'items')).toMatchObject({ code: 0 })
    folder.sql('DROP TABLE orders', 'items.db')
    const run = await replace('bad.csv', '--table', 'items', '--allow-rejects')
    expect(run.code, run.err).toBe(0)
    expect(items()).toEqual([3])
    expect((await folder.lading('rejects', 'list', '--to', 'sqlite:items.db')).out).toContain('bad.csv:3')
    folder.sql('CREATE TABLE parts (item INTEGER REFERENCES items ON DELETE CASCADE)', 'items.db')
    expectError(
      await replace('c.csv', '--table', 'items'),
      'REPLACE_REFUSED',
      65,
      'rows of table parts refer to it',
    )
  })
})
