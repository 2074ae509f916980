/** Small files in the shape of real people's work: what inspection proposes, and what then is in the table. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { fixtures, Folder } from '../cli/run.ts'

/** A folder with the case, as `case.csv` or with its own suffix. */
async function folderOf(name: string): Promise<Folder> {
  const folder = await Folder.make()
  await cp(join(fixtures, 'cases', name), folder.at(`case${name.slice(name.lastIndexOf('.'))}`))
  return folder
}

/** Loads the case as inspection proposes it, with more options, and returns its rows without their names. */
async function rowsOf(name: string, ...options: readonly string[]): Promise<unknown[][]> {
  await using folder = await folderOf(name)
  const file = `case${name.slice(name.lastIndexOf('.'))}`
  const [found] = await folder.json<{ command: string }[]>('inspect', file)
  const run = await folder.paste([found?.command, ...options].join(' '))
  expect(run.code, `${found?.command}\n${run.err}${run.out}`).toBe(0)
  return folder.sql('SELECT * FROM "case"').map((row) => Object.values(row))
}

describe.concurrent('the cases of real work, loaded by what inspection proposes', () => {
  it.each([
    [
      '03-latin1-some-ascii.csv',
      [],
      [
        ['Anna', 'Bonn'],
        ['Jörg', 'Köln'],
        ['Tim', 'Ulm'],
        ['Pia', 'München'],
      ],
    ],
    [
      '04-lone-cr.csv',
      [],
      [
        ['Ann', 30, 'Rome'],
        ['Bob', 40, 'Ulm'],
      ],
    ],
    [
      '09a-trailing-delimiter-everywhere.csv',
      [],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      '09b-trailing-delimiter-rows.csv',
      [],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      '09c-short-row.csv',
      ['--ragged', 'pad'],
      [
        [1, 2, null],
        [4, 5, 6],
      ],
    ],
    [
      '10-sep-line.csv',
      ['--decimal', ',', '--thousands', '.'],
      [
        ['Schraube', 10, '0.25'],
        ['Mutter', 1200, '1234.50'],
      ],
    ],
    [
      '11a-comments.csv',
      [],
      [
        ['A', '1.5'],
        ['B', '2.5'],
      ],
    ],
    [
      '11b-units-and-footer.csv',
      ['--footer-lines', '1'],
      [
        ['2024-01-01T00:00:00.000000', '1.5'],
        ['2024-01-01T00:10:00.000000', '1.6'],
      ],
    ],
    [
      '11c-preamble.csv',
      [],
      [
        [1, 2],
        [2, 3],
      ],
    ],
    [
      '12-backslash-escapes.csv',
      [],
      [
        [1, 'C:\\tools\\bin\\', 'a "quoted" word', null],
        [2, "O'Neil", 'tab\there', null],
      ],
    ],
    [
      '13-date-and-time.csv',
      [],
      [
        [1, '1998-08-14', '09:00:00.000000'],
        [2, '1998-08-15', '12:05:00.000000'],
      ],
    ],
    [
      '20-spaces.csv',
      [],
      [
        ['ann', 'a@x.org', '61.5'],
        ['bob', 'b, c@x.org', '70'],
      ],
    ],
    [
      '21-excel.csv',
      ['--thousands', ','],
      [
        ['00099', 1200, '5.00', '4.01234E+12', null],
        ['00100', 7, '-12.50', '4001234567890', 'ok'],
      ],
    ],
    [
      '05-partial-objects.ndjson',
      [],
      [
        [1, 'chocolate', null],
        [1, null, 'cookie'],
      ],
    ],
    [
      '07-nested-large-ids.json',
      [],
      [['{ "transaction": { "transaction_id": 9007199254740993 } }', '12345678901234567890']],
    ],
    [
      '14-records-inside.json',
      [],
      [
        ['2026-01-05T10:00:00.000000Z', '{ "object": { "key": "a.csv", "size": 12 } }'],
        ['2026-01-05T10:00:01.000000Z', '{ "object": { "key": "b.csv", "size": 9007199254740993 } }'],
      ],
    ],
  ] as const)('%s', async (name, options, rows) => {
    expect(await rowsOf(name, ...options)).toEqual(rows)
  })
})

async function connected(url: string) {
  const client = new Client({ connectionString: url })
  await client.connect()
  const query = async (sql: string): Promise<unknown[]> => (await client.query(sql)).rows as unknown[]
  return { query, [Symbol.asyncDispose]: () => client.end() }
}

describePostgres('a file into a table that is made for it in PostgreSQL', () => {
  it('has types that give every value back, and a second file fits what the catalogue says', async () => {
    await using database = await freshDatabase()
    await using folder = await Folder.make({
      'sales.csv': [
        'id;Betrag;Tag;ok;um;when;uuid;doc',
        '1;1.234,50;31.12.2024;true;12:30;2024-01-01T00:00:00+02:00;8d2c9b1e-0000-4000-8000-00000000abcd;{"a":1.0}',
        '3000000000;0,25;01.01.2025;false;23:59;2024-06-01T00:00:00+02:00;8d2c9b1e-0000-4000-8000-00000000abce;[]',
        '',
      ].join('\n'),
      'more.csv': 'id;Betrag;Tag;ok;um;when;uuid;doc\n3;7,00;22.01.2025;true;00:00;;;\n',
    })
    const first = await folder.lading('load', 'sales.csv', '--to', database.url, '--key', 'id')
    expect(first.code, first.err).toBe(0)
    const more = await folder.lading('load', 'more.csv', '--to', database.url, '--table', 'sales')
    expect(more.code, more.err).toBe(0)
    await using client = await connected(database.url)
    const found = await client.query(
      `SELECT string_agg(format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY attnum) AS types
         FROM pg_attribute WHERE attrelid = 'sales'::regclass AND attnum > 0`,
    )
    expect(found).toEqual([
      {
        types:
          'bigint not null, numeric(12,2), date, boolean, time without time zone, timestamp with time zone, uuid, json',
      },
    ])
    expect(
      await client.query('SELECT betrag::text, tag::text, um::text, doc::text FROM sales ORDER BY id'),
    ).toEqual([
      { betrag: '1234.50', tag: '2024-12-31', um: '12:30:00', doc: '{"a":1.0}' },
      { betrag: '7.00', tag: '2025-01-22', um: '00:00:00', doc: null },
      { betrag: '0.25', tag: '2025-01-01', um: '23:59:00', doc: '[]' },
    ])
  })
})
