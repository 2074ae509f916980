import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { bin } from '../support/lading.ts'
import { expectError, Folder, header, record, library } from './run.ts'

const model = (columns: string) => `
import { defineModel } from '${library}'
import { integer, text } from '${library}'
export default defineModel({ table: 'notes', columns: ${columns} })`

const red = '\u001b[31mred\u001b[0m'
const lines = [
  record(0).trimEnd(), // line 2
  '2021-01-01T00:00:01Z,a',
  '',
  '2021-01-01T00:00:01Z,a,1,2',
  `2021-01-01T00:00:02Z,a,${red}`,
  `${red},a,1`,
  '2021-01-01T00:00:03Z,,1',
  '2021-01-01T00:00:03Z,"a"b,1',
  record(4).trimEnd(), // line 10
]
const bad = header + lines.join('\n')

interface Listed {
  readonly id: number
  readonly line: number
  readonly byte: number
  readonly code: string
  readonly column?: string
  readonly raw: string
}

describe.concurrent('bad records', () => {
  it('are left out with file, line, byte, column and code, and cost no good one; exit 3', async () => {
    await using folder = await Folder.make({ 'bad.csv': bad })
    const run = await folder.lading('load', 'bad.csv')
    expect(run.code, run.err).toBe(3)
    expect(run.out).toMatch(/bad\.csv +9 +2 +7 +0 +0 +0\n/)
    expect(run.out).toContain('7 records rejected: lading rejects list')
    const rejects = await folder.json<Listed[]>('rejects', 'list')
    expect(rejects.map(({ line, code, column }) => [line, code, column])).toEqual([
      [3, 'COLUMN_COUNT', undefined],
      [4, 'BLANK_LINE', undefined],
      [5, 'COLUMN_COUNT', undefined],
      [6, 'BAD_NUMBER', 'value'],
      [7, 'BAD_TIMESTAMP', 'record_time'],
      [8, 'NULL_NOT_ALLOWED', 'sensor_id'],
      [9, 'BAD_QUOTE', undefined],
    ])
    for (const { line, byte, raw } of rejects) {
      expect(raw).toBe(lines[line - 2])
      expect(Buffer.from(bad).toString('utf8', byte, byte + Buffer.byteLength(raw))).toBe(raw)
    }
    expect((await folder.lading('verify')).code).toBe(3)
    expect((await folder.lading('verify', '--allow-rejects')).code).toBe(0)
    expect((await folder.lading('load', 'bad.csv', '--allow-rejects')).code).toBe(0)
  })

  it('are shown to a person in a table and one by one, and steer no terminal', async () => {
    await using folder = await Folder.make({ 'bad\u001b[2J.csv': bad })
    const runs = [
      await folder.lading('load', '.'),
      await folder.lading('rejects', 'list'),
      await folder.lading('rejects', 'list', '--json'),
    ]
    const list = runs[1]?.out as string
    expect(list).toMatch(/^id +place +column +code +detail$/m)
    expect(list).toMatch(/^1 +bad\\u001b\[2J\.csv:3:23 +COLUMN_COUNT +2 cells where the hea…$/m)
    expect((await folder.lading('rejects', 'list', '--limit', '2')).out).toContain(
      '… the first 2; continue with --after 2',
    )
    expect(await folder.json('rejects', 'list', '--after', '6')).toMatchObject([{ id: 7 }])
    const show = await folder.lading('rejects', 'show', '4')
    expect(show.out.split('\n')).toEqual([
      expect.stringMatching(/^bad\S+:6:24: BAD_NUMBER in value: not a decimal number$/),
      '  6 | 2021-01-01T00:00:02Z,a,\\u001b[31mred\\u001b[0m',
      '    |                        ^^^^^^^^^^^^^^^^^^^^^^',
      expect.stringContaining('red'),
      expect.stringMatching(/^ {2}help: use digits/),
      expect.stringMatching(/nullIf\)$/),
      '  edit the record: lading rejects edit 4',
      '  then load it: lading rejects replay 4',
      expect.stringMatching(/^ {2}reject 4, open: record 5, at byte \d+ of the source, load \S+$/),
      '',
    ])
    expect(await folder.json('rejects', 'show', '4')).toMatchObject({
      id: 4,
      raw: `2021-01-01T00:00:02Z,a,${red}`,
    })
    for (const { out, err } of [...runs, show]) expect(out + err).not.toContain('\u001b')
  })

  it('of one load are listed apart', async () => {
    await using folder = await Folder.make({ 'a.csv': `${header}x,a,1\n`, 'b.csv': `${header}y,a,1\n` })
    await folder.lading('load', 'a.csv', 'b.csv')
    const loads = folder.sql<{ id: string }>("SELECT id FROM lading_load WHERE source = 'b.csv'")
    expect(await folder.json('rejects', 'list', '--load', loads[0]?.id as string)).toMatchObject([
      { source: 'b.csv' },
    ])
  })

  it('are marked under the cell: in the line it stands on, behind tabs, wide and combining characters, cut out of a long row', async () => {
    const long = 'x'.repeat(3000)
    await using folder = await Folder.make({
      'a.tsv': `id\tnote\tn\n1\t"two\r\nlines, 漢字 e\u0301 \u202eodd"\t1x\n2\t${long}\tmuch${long}\n3\tx\t${'9'.repeat(30)}\n4\n5\tx"y\t1\n`,
      'm.ts': model('{ id: integer().notNull(), note: text(), n: integer() }'),
    })
    await folder.lading('load', 'a.tsv', '--model', './m.ts', '--delimiter', '\\t')
    const shown = async (id: number) =>
      (await folder.lading('rejects', 'show', String(id))).out.split('\n').slice(0, 3)
    expect(await shown(1)).toEqual([
      'a.tsv:3:20: BAD_INTEGER in n: not a whole number',
      '  3 | lines, 漢字 e\u0301 \\u202eodd"    1x',
      `    | ${' '.repeat(28)}^^`,
    ])
    // Marks that turn the direction of writing are as dangerous in JSON.
    expect((await folder.lading('rejects', 'list', '--json')).out).not.toContain('\u202e')
    const [head, row = '', mark = ''] = await shown(2)
    expect(head).toMatch(/^a\.tsv:4:3004: /)
    expect(row).toMatch(/^ {2}4 \| …x+ {4}muchx+…$/)
    expect(row.length).toBeLessThanOrEqual(80)
    expect(row.slice(mark.indexOf('^'), mark.indexOf('^') + 4)).toBe('much')
    expect(await shown(4)).toEqual([
      'a.tsv:6:2: COLUMN_COUNT: the record has more or fewer cells than the header',
      '  6 | 4',
      '    |  ^',
    ])
    expect((await shown(5))[2]).toBe(`    | ${' '.repeat(5)}^^^`)
  })

  it('are counted by what is wrong, and one that is shown says how many failed the same way', async () => {
    await using folder = await Folder.make({
      'a.csv': header + [1, 2, 3].map((n) => record(n, 'x')).join('') + '\n',
    })
    await folder.lading('load', 'a.csv')
    expect(await folder.json('rejects', 'list', '--summary')).toEqual([
      { code: 'BAD_NUMBER', column: 'value', rejects: 3 },
      { code: 'BLANK_LINE', rejects: 1 },
    ])
    expect((await folder.lading('rejects', 'list', '--summary')).out).toMatch(
      /^rejects +code +column +meaning\n +3 +BAD_NUMBER +value/,
    )
    expect((await folder.lading('rejects', 'list', '--summary', '--code', 'BAD_BOOLEAN')).out).toBe(
      'no rejects\n',
    )
    expect(await folder.json('rejects', 'list', '--code', 'blank_line')).toHaveLength(1)
    expect(await folder.json('rejects', 'list', '--column', 'value', '--search', '00:02Z,a')).toMatchObject([
      { id: 2, place: 'a.csv:3:24' },
    ])
    expect((await folder.lading('rejects', 'show', '1')).out).toMatch(
      /2 others failed the same way: lading rejects list --load [0-9a-f]{8} --code BAD_NUMBER --column value\n/,
    )
    expect((await folder.lading('rejects', 'show', '4')).out).not.toContain('failed the same way')
    expect((await folder.lading('rejects', 'discard')).code).toBe(64)
    expect((await folder.lading('rejects', 'discard', '--code', 'BLANK_LINE')).out).toBe(
      'discarded 1 reject\n',
    )
    expect((await folder.lading('rejects', 'replay', '4')).out).toBe('4: it was discarded\n')
    expect(await folder.json('rejects', 'list', '--all', '--code', 'BLANK_LINE')).toMatchObject([
      { state: 'discarded' },
    ])
    expect((await folder.lading('verify')).out).toMatch(/ 4 +0 +4 +0 +0 +0\n/)
  })

  it('are mended and replayed, each once, and the receipt adds up', async () => {
    await using folder = await Folder.make({
      'a.csv': header + [1, 2, 3].map((n) => record(n, 'x')).join(''),
    })
    await folder.lading('load', 'a.csv')
    const mended = record(7).trimEnd()
    expect((await folder.lading('rejects', 'edit', '1', '--record', mended)).out).toBe(
      'kept; load it: lading rejects replay 1\n',
    )
    expect((await folder.run(['rejects', 'edit', '2', '--record', '-'], { stdin: record(8) })).code).toBe(0)
    const replay = await folder.lading('rejects', 'replay')
    expect(replay.code, replay.err).toBe(3)
    expect(replay.out).toMatch(
      /^1: loaded\n2: loaded\n3: still rejected: BAD_NUMBER: .+\nof 3 rejects: loaded 2, skipped 0, still rejected 1\n$/,
    )
    expect(await folder.lading('rejects', 'replay', '1', '2')).toMatchObject({
      code: 0,
      out: expect.stringContaining('already applied'),
    })
    expect(folder.rows()).toBe(2)
    expect((await folder.lading('verify')).out).toMatch(/a\.csv +3 +2 +1 +0 +0 +0\n/)
    expect(await folder.json('rejects', 'show', '1')).toMatchObject({
      state: 'replayed',
      raw: record(1, 'x').trimEnd(),
      edited: mended,
    })
    expectError(await folder.lading('rejects', 'edit', '1', '--record', 'x'), 'NOT_FOUND', 66, 'replayed')
    expectError(await folder.lading('rejects', 'replay', '99'), 'NOT_FOUND', 66)
  })

  it('are mended in an editor, in a file that nobody else may read and that is gone afterwards', async () => {
    await using folder = await Folder.make({
      'a.csv': header + record(1, 'x'),
      'editor.sh': 'stat -c "%a %n" "$2" > told; cat "$2" >> told; sed -i "$1" "$2"\n',
    })
    await folder.lading('load', 'a.csv')
    const edit = (script: string) =>
      folder.run(['rejects', 'edit', '1'], { env: { EDITOR: `sh editor.sh ${script}`, VISUAL: '' } })
    expect((await edit('s/q/z/')).out).toBe('nothing was changed\n')
    expect((await edit('s/x$/5/')).out).toContain('kept')
    const [stat = '', content] = await folder.lines('told')
    expect(stat).toMatch(/^600 /)
    expect(content).toBe(record(1, 'x').trimEnd())
    expect(existsSync(stat.slice(4))).toBe(false)
    const aborted = await folder.run(['rejects', 'edit', '1'], { env: { EDITOR: 'false', VISUAL: '' } })
    expectError(aborted, 'ABORTED', 75, 'the editor ended with 1; nothing was changed')
    const interrupt = 'kill -INT "$PPID" &&'
    const editing = folder.start(['rejects', 'edit', '1'], { EDITOR: `${interrupt} true`, VISUAL: '' })
    const [out, code] = await Promise.all([text(editing.stdout), once(editing, 'close')])
    expect([out, code], 'Ctrl-C in the editor').toEqual(['nothing was changed\n', [0, null]])
    const without = await folder.run(['rejects', 'edit', '1'], { env: { EDITOR: '', VISUAL: '' } })
    expectError(without, 'USAGE', 64, 'set VISUAL or EDITOR')
    expect((await folder.lading('rejects', 'replay')).out).toBe('1: loaded\n')
    expectError(
      await folder.run(['rejects', 'edit', '1'], { env: { EDITOR: 'false', VISUAL: '' } }),
      'NOT_FOUND',
      66,
    )
  })

  it('that somebody else discards while they are in an editor are not changed', async () => {
    await using folder = await Folder.make({
      'a.csv': header + record(1, 'x'),
      'editor.sh': `"${process.execPath}" "${bin}" rejects discard 1 >/dev/null; echo y > "$1"\n`,
    })
    await folder.lading('load', 'a.csv')
    const run = await folder.run(['rejects', 'edit', '1'], { env: { EDITOR: 'sh editor.sh', VISUAL: '' } })
    expectError(run, 'NOT_FOUND', 66, 'discarded')
  })

  it('of which many are replayed are told one by one to a limit, and then in all', async () => {
    const many = Array.from({ length: 25 }, (_, n) => record(n, 'x')).join('')
    await using folder = await Folder.make({ 'a.csv': header + many })
    await folder.lading('load', 'a.csv')
    const { out } = await folder.lading('rejects', 'replay')
    expect(out.match(/^\d+: still rejected/gm)).toHaveLength(20)
    expect(out).toMatch(/^of 25 rejects: loaded 0, skipped 0, still rejected 25$/m)
  })

  it('of loads with a pipeline of their own are named by a replay that does not try them', async () => {
    await using folder = await Folder.make({
      'a.csv': `${header}x,a,1\n`,
      'b.csv': `${header}y,a,1\nz,b,1\n`,
    })
    // That of the last run would be known.
    await folder.lading('load', 'b.csv', '--pipeline', 'p')
    await folder.lading('load', 'a.csv')
    const left = 'left: 2 rejects in pipeline p, which --model, --table and --pipeline choose\n'
    expect((await folder.lading('rejects', 'replay')).out).toMatch(
      new RegExp(`^3: still rejected: .*\\n${left}$`),
    )
    await folder.lading('rejects', 'discard', '3')
    expect((await folder.lading('rejects', 'replay')).out).toBe(left)
    expect((await folder.lading('rejects', 'replay', '--pipeline', 'p')).out).toMatch(/^of 2 rejects: /m)
    await folder.lading('rejects', 'discard', '1', '2')
    expect((await folder.lading('rejects', 'replay')).out).toBe('no rejects to replay\n')
  })

  it('are exported as they came, below a header line, and load again once they are mended', async () => {
    const odd = [
      `2021-01-01T00:00:01Z,"a,""b\r\nc",x`,
      `2021-01-01T00:00:02Z,\u00e4\u001b,=1+1`,
      '2021-01-01T00:00:03Z,@a,"-x"',
      'short',
    ]
    await using folder = await Folder.make({ 'a.csv': header + odd.map((line) => `${line}\r\n`).join('') })
    await folder.lading('load', 'a.csv')
    const out = await folder.lading('rejects', 'export')
    expect(out.out).toBe(header + odd.map((line) => `${line}\n`).join(''))
    const safe = (await folder.lading('rejects', 'export', '--excel-safe', '2', '3')).out.split('\n')
    expect(safe).toEqual([
      header.trimEnd(),
      `2021-01-01T00:00:02Z,\u00e4\u001b,'=1+1`,
      `2021-01-01T00:00:03Z,'@a,"'-x"`,
      '',
    ])
    await folder.lading('rejects', 'export', '--code', 'BAD_NUMBER', '--out', 'bad.csv')
    await folder.write(
      'bad.csv',
      (await readFile(folder.at('bad.csv'), 'utf8')).replaceAll(/(x|=1\+1|"-x")$/gm, '1'),
    )
    expect((await folder.lading('load', 'bad.csv')).code).toBe(0)
    expect(folder.rows()).toBe(3)
    expectError(await folder.lading('rejects', 'export', '--out', 'bad.csv'), 'OUTPUT_UNWRITABLE', 73)
  })

  it('of a JSON file have a column only where they begin their line, and an export hides no line end in a string', async () => {
    const broken = '{"sensor_id":"a\nb",\n "value":1}'
    const good = '{"record_time":"2021-01-01T00:00:01Z",\n  "sensor_id":"a",\n  "value":"x"}'
    await using folder = await Folder.make({ 'a.json': `[{"value":"y"}, ${good},\n${broken}]` })
    await folder.lading('load', 'a.json')
    const places = (await folder.lading('rejects', 'list')).out.match(/a\.json\S*/g)
    expect(places).toEqual(['a.json:1', 'a.json:3:11', 'a.json:4'])
    expect((await folder.lading('rejects', 'export', '3')).out).toBe('{"sensor_id":"a\nb",  "value":1}\n')
  })

  it('of which the end was not kept are exported as far as they were, and said', async () => {
    const long = `${record(1).trimEnd()}${'x'.repeat(100_000)}\n`
    await using folder = await Folder.make({ 'a.csv': header + long + long })
    await folder.lading('load', 'a.csv')
    const run = await folder.lading('rejects', 'export')
    expect(run.err).toMatch(/2 records cut at 65,536 bytes: the rest was not kept/)
    // A pipe takes less than that at once.
    const piped = ['-c', '"$0" "$1" rejects export | cat', process.execPath, bin]
    expect(spawnSync('sh', piped, { cwd: folder.path, encoding: 'utf8' }).stdout).toBe(run.out)
    const written = run.out.trimEnd().split('\n')
    expect(written.map(({ length }) => length)).toEqual([header.length - 1, 65_536, 65_536])
  })

  it('are exported into the named file where its suffix is that of their format, and beside it otherwise', async () => {
    const tsv = 'id\tday\nx\t1\n'
    const files = { 'a.tsv': tsv, 'b.csv': 'id,day\ny,2\n', 'c.csv': 'day,id\n3,z\n' }
    await using folder = await Folder.make(files)
    for (const name of Object.keys(files))
      await folder.lading('load', name, '--table', 'days', '--columns', 'id:integer')
    const exported = async (...names: string[]) =>
      Promise.all(names.map((name) => readFile(folder.at(name), 'utf8')))
    await folder.lading('rejects', 'export', '--out', 'all.csv')
    expect(await exported('all.csv', 'all-2.tsv', 'all-3.csv')).toEqual([files['b.csv'], tsv, files['c.csv']])
    await folder.lading('rejects', 'export', '1', '--out', 'tabs.csv')
    await folder.lading('rejects', 'export', '--out', 'all.txt')
    expect(await exported('tabs.csv', 'all.txt', 'all-2.csv')).toEqual([tsv, tsv, files['b.csv']])
  })

  it('of several layouts are exported into a file each', async () => {
    await using folder = await Folder.make({
      'a.csv': `${header}x,a,1\n`,
      'b.csv': 'value,sensor_id,record_time\n1,a,x\n',
    })
    await folder.lading('load', 'a.csv', 'b.csv')
    const printed = await folder.lading('rejects', 'export')
    expectError(printed, 'USAGE', 64, 'several layouts')
    expect(printed.out, 'nothing is printed before the refusal').toBe('')
    expect((await folder.lading('rejects', 'export', '--out', 'out.csv')).code).toBe(0)
    const files = [
      await readFile(folder.at('out.csv'), 'utf8'),
      await readFile(folder.at('out-2.csv'), 'utf8'),
    ]
    expect(files.toSorted()).toEqual([`${header}x,a,1\n`, 'value,sensor_id,record_time\n1,a,x\n'])
  })
})
