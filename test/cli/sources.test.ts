import { mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, header, record, records } from './run.ts'

interface Loaded {
  readonly loadedNow: number
  readonly produced: readonly { readonly source: string }[]
}

describe.concurrent('what a file may look like', () => {
  it.each<[string, string | Uint8Array, number]>([
    ['bom.csv', `\ufeff${records(2)}`, 2],
    ['crlf.csv', records(2).replaceAll('\n', '\r\n'), 2],
    ['no-last-newline.csv', records(2).trimEnd(), 2],
    ['other-order.csv', 'value,sensor_id,record_time\n1,a,2021-01-01T00:00:00Z\n', 1],
    ['quoted.csv', `${header}"2021-01-01T00:00:00Z","a\n""b"",c",1\n`, 1],
    ['header-only.csv', header, 0],
    ['whole.csv.gz', gzipSync(records(2)), 2],
    ['whole.csv.zst', zstdCompressSync(records(2)), 2],
    ['gzip-without-suffix.csv', gzipSync(records(2)), 2],
    ['zstd-called.csv.gz', zstdCompressSync(records(2)), 2],
    ['joined.csv.gz', Buffer.concat([gzipSync(header), gzipSync(record(1) + record(2))]), 2],
    [
      'joined.csv.zst',
      Buffer.concat([zstdCompressSync(header), zstdCompressSync(record(1)), zstdCompressSync(record(2))]),
      2,
    ],
  ])('%s is loaded whole', async (name, content, n) => {
    await using folder = await Folder.make({ [name]: content })
    const run = await folder.lading('load', name)
    expect(run.code, run.err).toBe(0)
    expect(run.out).toContain(`this run loaded ${n} record${n === 1 ? '' : 's'}\n`)
    expect(folder.rows()).toBe(n)
  })

  it.each([
    [['--delimiter', ';'], records(2).replaceAll(',', ';')],
    [['--delimiter', '\\t'], records(2).replaceAll(',', '\t')],
    [['--quote', "'"], `${header}'2021-01-01T00:00:00Z','a,b',1\n${record(1)}`],
    [['--no-header'], record(0) + record(1)],
    [
      ['--ignore-extra'],
      'record_time,sensor_id,value,more\n2021-01-01T00:00:00Z,a,1,x\n2021-01-01T00:00:01Z,a,1,x\n',
    ],
  ])('with %j it is read as it was written', async (options, content) => {
    await using folder = await Folder.make({ 'a.csv': content })
    expect(await folder.json('load', 'a.csv', ...options)).toMatchObject({ loadedNow: 2 })
  })
})

describe.concurrent('where records come from', () => {
  it("'-' is standard input, kept nowhere afterwards, and the same content is the same load", async () => {
    await using folder = await Folder.make()
    const first = await folder.run(['load', '-'], { stdin: records(3) })
    expect(first.code, first.err).toBe(0)
    expect(first.out).toContain('this run loaded 3 records')
    expect((await folder.run(['load', '-'], { stdin: records(3) })).out).toContain(
      'this run loaded 0 records',
    )
    expect((await folder.run(['load', '-'], { stdin: zstdCompressSync(records(3)) })).out).toContain(
      'this run loaded 0 records',
    )
    expect((await folder.run(['load', '-'], { stdin: gzipSync(records(4)) })).code).toBe(0)
    expect(folder.rows()).toBe(4)
    expect(folder.sql('SELECT 1 FROM lading_load')).toHaveLength(2)
    expect(await readdir(folder.at('.lading/spool'))).toEqual([])
  })

  it('the same bytes on standard input once more are said to be loaded, and when, and are another load under a name of their own', async () => {
    await using folder = await Folder.make()
    const load = (...more: readonly string[]) => folder.run(['load', '-', ...more], { stdin: records(3) })
    expect((await load()).out).not.toContain('standard input has')
    const again = await load()
    expect(again.code, again.err).toBe(0)
    expect(again.out).toMatch(
      /^standard input has the bytes of stdin of 20\S+Z \(3 records\), so nothing was loaded: --name NAME .+ --again .+$/m,
    )
    for (const name of ['monday', 'tuesday'])
      expect((await load('--name', name)).out).toContain('this run loaded 3 records')
    expect((await load('--name', 'monday')).out).toContain('standard input has the bytes of monday of 20')
    expect(folder.sql('SELECT source FROM lading_load ORDER BY 1')).toEqual(
      ['monday', 'stdin', 'tuesday'].map((source) => ({ source })),
    )
    const produce = (...more: readonly string[]) =>
      folder.run(['produce', '-', ...more], { stdin: records(3) })
    expect((await produce()).out).toContain('published 1 of 1 file')
    expect((await produce()).err).toMatch(/was published to this queue at 20.+--again .+, --name NAME /)
    expect((await produce('--name', 'monday')).out).toContain('published 1 of 1 file')
    expectError(await folder.lading('load', 'a.csv', '--name', 'monday'), 'USAGE', 64, '--name')
  })

  it('what a killed run kept of standard input is removed after a day, and nothing else in its folder', async () => {
    const [old, young] = [
      '0d9a1f6e-8d3c-4c55-9a1b-2f1f0c7e9a10.csv',
      '1d9a1f6e-8d3c-4c55-9a1b-2f1f0c7e9a11.csv',
    ]
    const spool = (name: string) => `.lading/spool/${name}`
    await using folder = await Folder.make({
      [spool(old)]: records(1),
      [spool(young)]: records(1),
      [spool('mine.csv')]: records(1),
    })
    const longAgo = new Date(Date.now() - 25 * 3_600_000)
    for (const name of [old, 'mine.csv']) await utimes(folder.at(spool(name)), longAgo, longAgo)
    expect((await folder.run(['load', '-'], { stdin: records(2) })).code).toBe(0)
    expect((await readdir(folder.at('.lading/spool'))).sort()).toEqual([young, 'mine.csv'])
  })

  it('a folder stands for all CSV files below it, links to files too, hidden ones and others not', async () => {
    await using folder = await Folder.make({
      'in/a.csv': records(1),
      'in/deep/er/b.CSV': records(2),
      'in/.hidden.csv': records(9),
      'in/.git/c.csv': records(9),
      'in/notes.txt': 'no CSV',
      'else/d.csv': records(3),
    })
    await symlink(folder.at('else/d.csv'), folder.at('in/d.csv'))
    const { produced } = await folder.json<Loaded>('load', 'in')
    expect(produced.map(({ source }) => source)).toEqual(['a.csv', 'd.csv', 'deep/er/b.CSV'])
    expect(folder.rows()).toBe(3)
  })

  it('--format says what a file, standard input or a folder holds, whatever their names say', async () => {
    const line = (n: number) => `{"record_time":"2021-01-01T00:00:0${n}Z","sensor_id":"a","value":${n}}\n`
    await using folder = await Folder.make({
      'a.csv': line(1),
      'in/b.jsonl': line(2),
      'in/deep/c.ndjson': line(3),
      'in/d.csv': records(9),
      'e.tsv': records(4).replaceAll(',', ';'),
    })
    const { produced } = await folder.json<Loaded>('load', 'a.csv', 'in', '--format', 'ndjson')
    expect(produced.map(({ source }) => source)).toEqual(['a.csv', 'b.jsonl', 'deep/c.ndjson'])
    const stdin = `[${line(4)}]`
    expect((await folder.run(['load', '-', '--format', 'json'], { stdin })).out).toContain('loaded 1 record')
    expect(folder.rows()).toBe(4)
    // A delimiter that is named is that of a TSV file, too.
    expect((await folder.run(['load', 'e.tsv', '--delimiter', ';'])).out).toContain('loaded 4 records')
    expectError(await folder.lading('load', 'a.csv', '--format', 'xml'), 'USAGE', 64, '--format')
  })

  it('hidden files and names that are not UTF-8 are said, and cost nothing else', async () => {
    await using folder = await Folder.make({
      'in/a.csv': records(1),
      'in/.x.csv': records(9),
      'in/deep/b.csv': records(2),
    })
    const broken = Buffer.concat([Buffer.from(folder.at('in/')), Buffer.from('m\xfcll.csv', 'latin1')])
    await writeFile(broken, records(9))
    await mkdir(Buffer.concat([Buffer.from(folder.at('in/')), Buffer.from('\xfc', 'latin1')]))
    const lost = /^warning: files whose names are not UTF-8 .*m\ufffdll\.csv/m
    const run = await folder.lading('load', 'in')
    expect(run.code, run.err).toBe(0)
    expect(run.err).toMatch(/^warning: hidden files are left out.*in\/\.x\.csv$/m)
    expect(run.err).toMatch(lost)
    expect(run.err.match(/^warning/gm)).toHaveLength(2)
    expect(folder.rows()).toBe(2)
    expect((await folder.lading('load', 'in/**/*.csv')).err).toMatch(lost)
    await mkdir(folder.at('none'))
    await writeFile(folder.at('none/.y.csv'), records(1))
    expect((await folder.lading('load', 'none')).err).toMatch(
      /SOURCE_EMPTY: .*hidden files are left out.*none\/\.y\.csv/,
    )
  })

  it('files of other formats in a folder are said, and how to load them', async () => {
    await using folder = await Folder.make({
      'mix/d.csv': records(1),
      'mix/a.json': '[]',
      'mix/deep/b.ndjson.gz': '',
      'mix/c.tsv': records(1).replaceAll(',', '\t'),
      'mix/.e.json': '',
      'mix/notes.txt': '',
    })
    const run = await folder.lading('load', 'mix')
    expect(run.code, run.err).toBe(0)
    expect(run.err.match(/^warning.*$/gm)).toEqual([
      expect.stringMatching(
        /files of other formats are left out; --format .*name them: (?!.*notes|.*\.e\.json)/,
      ),
    ])
    for (const left of ['a.json', 'deep/b.ndjson.gz', 'c.tsv']) expect(run.err).toContain(`mix/${left}`)
    expect(folder.rows()).toBe(1)
    expect((await folder.lading('load', 'mix', 'mix/c.tsv')).err).not.toContain('mix/c.tsv,')
    expect((await folder.lading('load', 'mix/*.csv')).err).not.toContain('left out')
  })

  it('files in a folder that are packed in a way that is not read are said, and one that is named says how to load it', async () => {
    const packed = ['b.csv.xz', 'c.CSV.bz2', 'deep/d.ndjson.zip', 'e.csv.Z']
    await using folder = await Folder.make({
      'mix/a.csv': records(1),
      ...Object.fromEntries(packed.map((name) => [`mix/${name}`, '\xfd7zXZ\0'])),
      'mix/.f.csv.xz': '',
      'mix/notes.txt.xz': '',
      'mix/report.pdf': '',
      'mix/tools.zip': '',
    })
    await folder.write('mix/b.csv.xz', Buffer.from('\xfd7zXZ\0', 'latin1'))
    const run = await folder.lading('load', 'mix')
    expect(run.code, run.err).toBe(0)
    const left = /^warning: files that are packed with neither gzip nor zstd are left out; .*: (.*)$/m.exec(
      run.err,
    )
    expect(left?.[1]?.split(', ').toSorted()).toEqual(packed.map((name) => `mix/${name}`).toSorted())
    expect(run.err.match(/^warning/gm)).toHaveLength(1)
    expectError(
      await folder.lading('load', 'mix/b.csv.xz'),
      'SOURCE_COMPRESSED',
      65,
      'xz -dc FILE | lading load -',
    )
    await rm(folder.at('mix/a.csv'))
    expectError(await folder.lading('load', 'mix'), 'SOURCE_EMPTY', 66, 'mix/b.csv.xz')
  })

  it('a quoted pattern stands for the files that match, a hidden folder only where it is named', async () => {
    await using folder = await Folder.make({
      'x/a1.csv': records(1),
      'x/a2.csv': records(2),
      'x/b.csv': records(3),
      '.in/h.csv': records(4),
    })
    const { produced } = await folder.json<Loaded>('load', 'x/a*.csv')
    expect(produced.map(({ source }) => source)).toEqual(['a1.csv', 'a2.csv'])
    expect((await folder.json<Loaded>('load', '*/*.csv')).produced).toHaveLength(3)
    expect((await folder.json<Loaded>('load', '.in/*.csv')).produced).toHaveLength(1)
  })

  it('several paths are loaded together, and one content under one name counts once however often it is named', async () => {
    await using folder = await Folder.make({
      'a/x.csv': records(2),
      'b/x.csv': records(2),
      'c.csv': records(3),
    })
    await mkdir(folder.at('empty'))
    const run = await folder.lading('load', 'a', 'b', 'c.csv', './c.csv')
    expect(run.code, run.err).toBe(0)
    expect(run.err.match(/was named twice/g)).toHaveLength(1)
    expect(run.out).toMatch(/^ +all +5 +5 +0/m)
    expect(run.out).toContain('this run loaded 5 records')
  })
})
