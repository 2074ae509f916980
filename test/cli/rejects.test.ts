import { describe, expect, it } from 'vitest'
import { Folder, header, record } from './run.ts'

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
    expect(list).toMatch(/^id +place +byte +column +code +detail$/m)
    expect(list).toMatch(/^1 +bad\\u001b\[2J\.csv:3 +\d+ +COLUMN_COUNT +2 cells where the header has 3$/m)
    expect((await folder.lading('rejects', 'list', '--limit', '2')).out).toContain('… the first 2; go on with --after 2')
    expect(await folder.json('rejects', 'list', '--after', '6')).toMatchObject([{ id: 7 }])
    const show = await folder.lading('rejects', 'show', '4')
    expect(show.out).toMatch(
      /^bad\S+:6: BAD_NUMBER in value: not a decimal number \(.+\)\n {2}record 5, at byte \d+ of the source, load \S+\n/,
    )
    expect(show.out).toContain('  2021-01-01T00:00:02Z,a,\\u001b[31mred\\u001b[0m\n')
    expect(await folder.json('rejects', 'show', '4')).toMatchObject({ id: 4, raw: `2021-01-01T00:00:02Z,a,${red}` })
    for (const { out, err } of [...runs, show]) expect(out + err).not.toContain('\u001b')
  })

  it('of one load are listed apart', async () => {
    await using folder = await Folder.make({ 'a.csv': `${header}x,a,1\n`, 'b.csv': `${header}y,a,1\n` })
    await folder.lading('load', 'a.csv', 'b.csv')
    const loads = folder.sql<{ id: string }>("SELECT id FROM lading_load WHERE source = 'b.csv'")
    expect(await folder.json('rejects', 'list', '--load', loads[0]?.id as string)).toMatchObject([{ source: 'b.csv' }])
  })
})
