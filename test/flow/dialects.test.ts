/**
 * Files that other programs write, with a model and the options that say how they are written: what is loaded,
 * what is left out and said, and what a person does with the rejects.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  balance,
  type Column,
  createConsumer,
  defineModel,
  exportRejects,
  integer,
  numeric,
  type Reading,
  text,
} from '../../src/index.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import { republishMissing } from '../../src/producer/republish.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { editReject, replayRejects } from '../../src/review/rejects.ts'
import type { StoredReject } from '../../src/sink/ledger.ts'
import { openSink } from '../../src/sink/registry.ts'
import { Fixture } from '../support/fixture.ts'

type Columns = Readonly<Record<string, Column>>

const modelOf = (columns: Columns) => defineModel({ table: 't', columns })

/** Loads the bytes as one file, with chunks of a few records. */
async function loading(fixture: Fixture, content: string | Buffer, columns: Columns, reading: Reading) {
  const path = join(fixture.folder, 'x.csv')
  await writeFile(path, content)
  await using queue = await openQueue(`embedded:${join(fixture.folder, 'queue.db')}`)
  await using sink = await openSink(fixture.target.url)
  const model = modelOf(columns)
  const statePath = join(fixture.folder, 'state.db')
  const done = await load({ paths: [path], model, queue, sink, statePath, chunkBytes: 10, ...reading })
  for (const receipt of done.receipts) expect(balance(receipt)).toEqual({ open: 0, problems: [] })
  const rejects = await sink.ledger.rejects({ limit: 100 })
  return { ...done, rows: rowsIn(fixture), rejects, leftOut: done.produced[0]?.leftOut }
}

function rowsIn(fixture: Fixture) {
  using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
  return file.all<object>('SELECT * FROM t ORDER BY rowid').map((row) => Object.values(row))
}

const texts = (...names: readonly string[]): Columns =>
  Object.fromEntries(names.map((name) => [name, text()]))
const none = { preamble: 0, comments: 0, footer: 0 }

type Case = readonly [
  what: string,
  content: string,
  columns: Columns,
  reading: Reading,
  rows: readonly unknown[],
  leftOut?: object,
]

const cases: readonly Case[] = [
  [
    'lines that end with CR alone',
    'name,age,city\rAnn,30,Rome\rBob,40,Ulm\r',
    texts('name', 'age', 'city'),
    { lineEnd: 'cr' },
    [
      ['Ann', '30', 'Rome'],
      ['Bob', '40', 'Ulm'],
    ],
  ],
  [
    'a delimiter at the end of every line',
    'A|B|C|\n1|2|3|\n4|5|6|\n',
    texts('A', 'B', 'C'),
    { dialect: { delimiter: '|' } },
    [
      ['1', '2', '3'],
      ['4', '5', '6'],
    ],
  ],
  [
    'a delimiter at the end of every record',
    'a,b,c\n1,2,3,\n4,5,6,\n',
    texts('a', 'b', 'c'),
    { dialect: { ragged: 'trim' } },
    [
      ['1', '2', '3'],
      ['4', '5', '6'],
    ],
  ],
  [
    'a short record that is padded',
    'a,b,c\n1,2\n4,5,6\n',
    texts('a', 'b', 'c'),
    { dialect: { ragged: 'pad' } },
    [
      ['1', '2', null],
      ['4', '5', '6'],
    ],
  ],
  [
    'a sep= line and decimal commas',
    'sep=;\r\nArtikel;Menge;Preis\r\nSchraube;10;0,25\r\nMutter;1.200;1.234,50\r\n',
    { Artikel: text(), Menge: integer(), Preis: numeric(10, 2) },
    { notations: { Menge: { decimal: ',', thousands: '.' }, Preis: { decimal: ',', thousands: '.' } } },
    [
      ['Schraube', 10, '0.25'],
      ['Mutter', 1200, '1234.50'],
    ],
    { ...none, preamble: 1 },
  ],
  [
    'comment lines',
    '# exported by the logger\nsite,temp\nA,1.5\n# sensor swapped, cable ok\nB,2.5\n\n# end\n',
    texts('site', 'temp'),
    { dialect: { comment: '#' } },
    [
      ['A', '1.5'],
      ['B', '2.5'],
    ],
    { ...none, comments: 4 },
  ],
  [
    'a row of units and a footer',
    'time,temp\n[UTC],[degC]\n2024-01-01 00:00,1.5\n2024-01-01 00:10,1.6\nEnd of data\n',
    { time: text().from('time [UTC]'), temp: text().from('temp [degC]') },
    { dialect: { headerRows: 2 }, footerLines: 1 },
    [
      ['2024-01-01 00:00', '1.5'],
      ['2024-01-01 00:10', '1.6'],
    ],
    { ...none, footer: 1 },
  ],
  [
    'lines above the header',
    'Device,X\nSerial,1\n\nid,value\n1,2\n2,3\n',
    texts('id', 'value'),
    { dialect: { skipLines: 3 } },
    [
      ['1', '2'],
      ['2', '3'],
    ],
    { ...none, preamble: 3 },
  ],
  [
    'backslashes as escapes',
    '1,"C:\\\\tools\\\\bin\\\\","a \\"quoted\\" word",\\N\n2,"O\\\'Neil","tab\\there",\\N\n',
    texts('id', 'path', 'word', 'nothing'),
    { dialect: { escape: '\\', header: false } },
    [
      ['1', 'C:\\tools\\bin\\', 'a "quoted" word', null],
      ['2', "O'Neil", 'tab\there', null],
    ],
  ],
  [
    'spaces around cells',
    'Username , E-mail, Weight (kg) \nann, a@x.org, 61.5 \nbob, "b, c@x.org",70\n',
    { name: text().from('Username'), mail: text().from('E-mail'), weight: text().from('Weight (kg)') },
    { dialect: { trim: true } },
    [
      ['ann', 'a@x.org', '61.5'],
      ['bob', 'b, c@x.org', '70'],
    ],
  ],
]

it.each(cases.map((each) => ({ what: each[0], each })))(
  '$what are loaded, and what is left out is said',
  async ({ each }) => {
    const [, content, columns, reading, rows, leftOut] = each
    await using fixture = await Fixture.open()
    const done = await loading(fixture, content, columns, reading)
    expect([done.rows, done.rejects, done.leftOut]).toEqual([rows, [], leftOut])
  },
)

const german = 'name;city\nAnna;Bonn\nJörg;Köln\nTim;Ulm\nPia;München\n'

it('a file that is converted to UTF-8 and loaded again under its name is the same load', async () => {
  await using fixture = await Fixture.open()
  const columns = texts('name', 'city')
  const dialect = { delimiter: ';' }
  for (const [content, encoding, loaded] of [
    [Buffer.from(german, 'latin1'), 'windows-1252', 4],
    [Buffer.from(german), undefined, 0],
    [Buffer.from(`\ufeff${german}`, 'utf16le'), undefined, 0],
  ] as const) {
    const done = await loading(fixture, content, columns, { dialect, ...(encoding && { encoding }) })
    expect([done.loadedNow, done.receipts.length]).toEqual([loaded, 1])
    expect(done.rows.map(([, city]) => city)).toEqual(['Bonn', 'Köln', 'Ulm', 'München'])
  }
})

it('text that is not in the encoding costs its record, with the line in the file', async () => {
  await using fixture = await Fixture.open()
  const file = Buffer.from(german.replace('Tim', 'T\u0081m'), 'latin1')
  const done = await loading(fixture, file, texts('name', 'city'), {
    dialect: { delimiter: ';' },
    encoding: 'windows-1252',
  })
  expect(done.rows).toHaveLength(3)
  expect(done.rejects).toMatchObject([{ code: 'BAD_ENCODING', line: 4, record: 3 }])
})

it('rejects below lines that are left out have their line, and are edited, exported and replayed', async () => {
  await using fixture = await Fixture.open()
  const columns = { id: integer().notNull(), note: text() }
  const dialect = { skipLines: 2, comment: '#', escape: '\\', quote: "'", trim: true, ragged: 'pad' } as const
  const content = `title "\n\n id , note\n1,'a\\'\nb'\n# x\n\n x2 , 'c\\nd' \nx3\n4, "e"\nToday\n`
  const done = await loading(fixture, content, columns, { dialect, footerLines: 1 })
  expect(done.rows).toEqual([
    [1, "a'\nb"],
    [4, '"e"'],
  ])
  expect(done.leftOut).toEqual({ preamble: 2, comments: 2, footer: 1 })
  expect(
    done.rejects.map(({ line, record, column, raw, span, byte }) => [
      line,
      record,
      column,
      Buffer.from(raw).toString(),
      span && Buffer.from(raw).toString('utf8', span.start, span.end),
      content.slice(byte as number).startsWith(Buffer.from(raw).toString()),
    ]),
  ).toEqual([
    [8, 2, 'id', " x2 , 'c\\nd' ", 'x2', true],
    [9, 3, 'id', 'x3', 'x3', true],
  ])

  const pages = (async function* () {
    yield done.rejects
  })()
  for await (const { bytes } of exportRejects(pages)) await writeFile(join(fixture.folder, 'out.csv'), bytes)
  expect(await readFile(join(fixture.folder, 'out.csv'), 'utf8')).toBe("id,note\n x2 , 'c\\nd' \nx3\n")

  await using sink = await openSink(fixture.target.url)
  const model = modelOf(columns)
  for (const [index, corrected] of [" 2 , 'c\\nd' \n", '3\r\n'].entries())
    await editReject(done.rejects[index] as StoredReject, Buffer.from(corrected), { sink, model })
  await replayRejects(await sink.ledger.rejects({ limit: 10 }), { sink, model })
  expect(rowsIn(fixture).slice(2)).toEqual([
    [2, 'c\nd'],
    [3, null],
  ])
  expect(await sink.ledger.receipts({})).toMatchObject([{ loaded: 4, openRejects: 0 }])
})

it('lost chunks of a file are published again as they were planned, however it is written', async () => {
  await using fixture = await Fixture.open()
  const path = join(fixture.folder, 'x.csv')
  await writeFile(path, Buffer.from(`${german.replaceAll('\n', '\r')}Ende`, 'latin1'))
  const [lost, queue, sink] = [
    await openQueue(`embedded:${join(fixture.folder, 'lost.db')}`),
    await fixture.queue(),
    await fixture.sink(),
  ]
  const model = modelOf(texts('name', 'city'))
  const reading: Reading = {
    dialect: { delimiter: ';' },
    encoding: 'windows-1252',
    lineEnd: 'cr',
    footerLines: 1,
  }
  const statePath = join(fixture.folder, 'producer.db')
  const [planned] = await produce({
    paths: [path],
    model,
    queue: lost,
    statePath,
    chunkBytes: 10,
    ...reading,
  })
  await lost[Symbol.asyncDispose]()
  const loadId = planned?.loadId ?? ''
  const published = await republishMissing({ loadId, queue, statePath, known: undefined, place: 'anywhere' })
  expect(published).toBe(planned?.chunks)
  await sink.prepare(model)
  await createConsumer({ queue, sink, model }).run({ untilEmpty: true })
  expect(rowsIn(fixture).map(([, city]) => city)).toEqual(['Bonn', 'Köln', 'Ulm', 'München'])
})
