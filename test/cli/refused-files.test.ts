import { existsSync } from 'node:fs'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { expectError, Folder, header, record, records } from './run.ts'

const utf16 = Buffer.from(`\ufeff${records(1)}`, 'utf16le')

describe.concurrent('a file that cannot be right is refused in one line, and nothing of it is loaded', () => {
  it.each<[string, string | Uint8Array, Code, readonly (string | RegExp)[]]>([
    [
      'extra.csv',
      `record_time,sensor_id,value,more\n`,
      'HEADER_MISMATCH',
      ['extra.csv:1: ', 'column more is not in the model'],
    ],
    [
      'missing.csv',
      'record_time,value\n2021-01-01T00:00:00Z,1\n',
      'HEADER_MISMATCH',
      ['missing.csv:1: ', 'column sensor_id is missing'],
    ],
    [
      'none.csv',
      record(1) + record(2),
      'HEADER_MISMATCH',
      ['none.csv:1: ', /if line 1 is a record already: --no-header/],
    ],
    [
      'many.csv',
      `${Array.from({ length: 99 }, (_, i) => `c${i}`).join(',')}\n`,
      'HEADER_MISMATCH',
      [/^.{0,400}$/, /and 96 more/],
    ],
    [
      'semicolon.csv',
      records(1).replaceAll(',', ';'),
      'HEADER_MISMATCH',
      ['semicolon.csv:1: ', /separated by ';' .+--delimiter ';'/],
    ],
    ['tab.csv', records(1).replaceAll(',', '\t'), 'HEADER_MISMATCH', [/--delimiter '\\t'/]],
    [
      'double.csv',
      'record_time,value,sensor_id,value\n',
      'HEADER_DUPLICATE',
      ['double.csv:1: ', 'names "value" twice, in columns 2 and 4'],
    ],
    [
      'quote.csv',
      `${header}${record(1)}2021-01-01T00:00:02Z,"a,2\n${record(3)}`,
      'UNCLOSED_QUOTE',
      ['quote.csv:3: '],
    ],
    [
      'broken.json',
      '[\n{"sensor_id":"a"}\n{"sensor_id":"b"}]',
      'SOURCE_MALFORMED',
      ['broken.json:3: ', 'a comma or a closing bracket is expected'],
    ],
    ['array.ndjson', '[{"sensor_id":"a"}]', 'SOURCE_MALFORMED', ['array.ndjson:1: ', '--format json']],
    ['json.csv', '{"value":1}\n{"value":2}\n', 'HEADER_MISMATCH', ['json.csv:1: ', '--format ndjson']],
    ['utf16le.csv', utf16.subarray(2), 'SOURCE_ENCODING', ['utf16le.csv', '--encoding utf-16le']],
    ['cr.csv', records(2).replaceAll('\n', '\r'), 'SOURCE_LINE_ENDS', ['cr.csv', '--line-end cr']],
    [
      'cut.csv.gz',
      gzipSync(records(50)).subarray(0, -20),
      'SOURCE_CORRUPT',
      ['cut.csv.gz: unexpected end of file'],
    ],
    ['cut.csv.zst', zstdCompressSync(records(50)).subarray(0, -20), 'SOURCE_CORRUPT', ['cut.csv.zst: ']],
    [
      'second.csv.zst',
      Buffer.concat([zstdCompressSync(records(2)), Buffer.from('rubbish')]),
      'SOURCE_CORRUPT',
      ['second.csv.zst: '],
    ],
    ['plain.csv.gz', records(1), 'SOURCE_CORRUPT', ['plain.csv.gz: ']],
    ['plain.csv.zst', records(1), 'SOURCE_CORRUPT', ['plain.csv.zst: ']],
  ])('%s', async (name, content, code, parts) => {
    await using folder = await Folder.make({ [name]: content })
    expectError(await folder.lading('load', name, '--model', 'records'), code, 65, ...parts)
    const wasTouched = existsSync(folder.at('lading.db'))
    if (wasTouched) expect([folder.rows(), folder.sql('SELECT 1 FROM lading_load')]).toEqual([0, []])
    else expect(code).not.toBe('UNCLOSED_QUOTE')
    if (code.startsWith('HEADER_')) expect(wasTouched).toBe(false)
  })

  it('of several files, each wrong header is named, and nothing is made or loaded', async () => {
    await using folder = await Folder.make({
      'in/a.csv': records(1),
      'in/b.csv': 'x\n1\n',
      'in/c.csv.gz': gzipSync('y\n1\n'),
    })
    const parts = [
      'b.csv:1: the header does not fit',
      'these cannot be loaded either: in/c.csv.gz; nothing was loaded',
    ]
    expectError(await folder.lading('load', 'in', '--model', 'records'), 'HEADER_MISMATCH', 65, ...parts)
    expect([existsSync(folder.at('lading.db')), await folder.json('status')]).toMatchObject([
      false,
      { queue: { ready: 0 } },
    ])
  })

  it.each<[string, Code, number, RegExp]>([
    [
      'sftp://me:secret@example.org/data/a.csv?token=secret',
      'USAGE',
      64,
      /sftp:\/\/example\.org\/data\/a\.csv is the address of a file .*: curl -sS URL \| lading load - \(/,
    ],
    ['ftp://example.org/a.jsonl.gz', 'USAGE', 64, /curl -sS URL \| lading load - --format ndjson/],
    ['gs://bucket/a.csv', 'USAGE', 64, /gcloud storage cat URL \| lading load -/],
    ['gs://bucket/a.jsonl.gz', 'USAGE', 64, /lading load - --format ndjson/],
    ['hdfs://host/a.tsv', 'USAGE', 64, /hdfs dfs -cat URL \| lading load - --format tsv/],
    [
      'postgresql://me:secret@db/app',
      'USAGE',
      64,
      /postgresql:\/\/db\/app is the URL of a server, .* behind --to/,
    ],
    ['file:///a.csv', 'USAGE', 64, /name the file by its path/],
    ['a.csv/', 'SOURCE_MISSING', 66, /a\.csv\/ ends as a folder does, and it is a file/],
    ['a.csv/b/c.csv', 'SOURCE_MISSING', 66, /a\.csv is a file, and not a folder/],
    ['a.csv/*.csv', 'SOURCE_MISSING', 66, /a\.csv is a file, and not a folder/],
  ])('%s is named for what it is', async (path, code, exit, message) => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const run = await folder.lading('load', path, '--model', 'records')
    expectError(run, code, exit, message)
    expect(run.err).not.toContain('secret')
  })

  it.each<[readonly string[], Code, number, RegExp]>([
    [['--model', './in'], 'MODEL_INVALID', 78, /\.\/in is a folder; name the file in it/],
    [['--to', 'sqlite:./in'], 'SINK_REFUSED', 78, /\.\/in: EISDIR: it is a folder, and not a file/],
    [['--queue', 'embedded:./in'], 'QUEUE_REFUSED', 78, /\.\/in: EISDIR: it is a folder, and not a file/],
    [['--state', './in'], 'OUTPUT_UNWRITABLE', 73, /\.\/in: EISDIR: it is a folder, and not a file/],
    [['--state', 'a.csv/x.db'], 'OUTPUT_UNWRITABLE', 73, /a\.csv is a file, and not a folder/],
  ])('a folder where a file is expected is one, and the reverse: %j', async (flags, code, exit, message) => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'in/b.csv': records(1) })
    const model = flags[0] === '--model' ? [] : ['--model', 'records']
    expectError(await folder.lading('load', 'a.csv', ...model, ...flags), code, exit, message)
  })

  it('a file of another kind on standard input is named, too', async () => {
    await using folder = await Folder.make()
    const run = await folder.run(['load', '-', '--model', 'records'], { stdin: 'PAR1\x15\x04' })
    expectError(run, 'SOURCE_FORMAT', 65, /standard input is Parquet, which is not read: duckdb/)
  })

  it('a path that leads nowhere is told before a database is asked, whatever the other paths are', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'notes/x.txt': '' })
    await mkdir(folder.at('empty'))
    const down = ['--to', 'postgresql://127.0.0.1:1/none']
    expectError(
      await folder.lading('load', 'a.csv', 'nothere.csv', ...down),
      'SOURCE_MISSING',
      66,
      'nothere.csv',
    )
    expectError(
      await folder.lading('load', 'empty', ...down),
      'SOURCE_EMPTY',
      66,
      'empty (looked for *.csv, ',
    )
    expectError(await folder.lading('load', 'notes', ...down), 'SOURCE_EMPTY', 66, 'notes')
    expectError(await folder.lading('load', 'x*.csv', ...down), 'SOURCE_MISSING', 66, 'no file matches')
    expectError(await folder.lading('produce', 'a.csv', 'nothere.csv'), 'SOURCE_MISSING', 66, 'nothere.csv')
    expect(await folder.json('status')).toMatchObject({ queue: { ready: 0 }, loads: [] })
  })

  it('a file that cannot be read is named', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    // Root may read everything but what the kernel itself refuses.
    if (process.getuid?.() === 0) await symlink('/proc/self/mem', folder.at('b.csv'))
    else await folder.write('b.csv', records(1)).then(() => chmod(folder.at('b.csv'), 0))
    expectError(await folder.lading('load', 'b.csv'), 'SOURCE_UNREADABLE', 66, 'b.csv: ')
    expectError(await folder.lading('load', '/dev/null'), 'SOURCE_UNREADABLE', 66, "'-'")
  })

  it('of files of which one is broken it is said which are loaded and which are not, and those are loaded to their end', async () => {
    await using folder = await Folder.make({
      'in/a.csv': records(9),
      'in/b.csv': `${records(1)}"`,
      'in/c.csv': records(3),
    })
    for (const again of [false, true]) {
      const run = await folder.lading('load', 'in', '--chunk-bytes', '30')
      expectError(run, 'UNCLOSED_QUOTE', 65, 'in/b.csv:3')
      expect(run.err).toContain(
        'warning: one of 3 files is at fault; loaded completely: a.csv; not loaded: b.csv, c.csv\n',
      )
      expect([folder.rows(), run.err.includes('skipped a.csv')]).toEqual([9, again])
    }
    expect(await folder.json('status')).toMatchObject({ queue: { ready: 0 } })
  })

  it('the sound files before a broken one are loaded by the next run, none twice', async () => {
    await using folder = await Folder.make({
      'in/a.csv': records(2),
      'in/b.csv': 'no,such\n',
      'in/c.csv': records(3),
    })
    expectError(await folder.lading('load', 'in', '--model', 'records'), 'HEADER_MISMATCH', 65, 'in/b.csv:1')
    await folder.write('in/b.csv', records(4))
    expect(await folder.json('load', 'in')).toMatchObject({
      receipts: [{ loaded: 2 }, { loaded: 4 }, { loaded: 3 }],
    })
    expect(folder.sql('SELECT 1 FROM lading_load')).toHaveLength(3)
    await folder.write('in/d.csv.xz', '')
    const again = await folder.lading('load', 'in', '--model', 'records')
    expect(again).toMatchObject({ code: 0, err: expect.stringMatching(/left out.*in\/d\.csv\.xz/) })
  })
})
