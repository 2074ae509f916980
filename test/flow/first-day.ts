/** Files of a first day with Lading: made by others, in the shapes in which people get them. */

export interface FirstDay {
  readonly title: string
  readonly file: string
  readonly content: string | Uint8Array
  /** Of `lading load`. */
  readonly options: readonly string[]
  readonly table: string
  /** The column that orders the rows. */
  readonly key: string
  /** Texts of some columns in a new table. */
  readonly fresh: readonly Row[]
  /** Types of some columns of the new table in PostgreSQL. */
  readonly types: Readonly<Record<string, string>>
  /** Of a table that exists: its columns in each database. */
  readonly columns: { readonly sqlite: string; readonly postgres: string }
  /** Texts of its rows, where they differ from those in a new table. */
  readonly existing?: { readonly sqlite?: readonly Row[]; readonly postgres?: readonly Row[] }
}

export type Row = Readonly<Record<string, string | null>>

const crlf = (...lines: readonly string[]) => lines.map((line) => `${line}\r\n`).join('')
const lf = (...lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

/** Characters that Windows-1252 shares with Latin-1. */
const windows1252 = (text: string) => Buffer.from(text, 'latin1')

const sales: FirstDay = {
  title: 'an Excel export: semicolons, decimal commas, Windows-1252 and a total row',
  file: 'Umsatz.csv',
  content: windows1252(
    crlf(
      'Kunde;Datum;Menge;Betrag (EUR)',
      'Müller & Söhne;01.03.2026;3;1.234,50',
      '"Jäger; GmbH";15.03.2026;10;12,00',
      'Groß;28.02.2026;1;-99,90',
      'Summe;;14;1.146,60',
    ),
  ),
  options: ['--encoding', 'windows-1252', '--footer-lines', '1'],
  table: 'umsatz',
  key: 'menge',
  fresh: [
    { kunde: 'Groß', datum: '2026-02-28', menge: '1', betrag: '-99.90' },
    { kunde: 'Müller & Söhne', datum: '2026-03-01', menge: '3', betrag: '1234.50' },
    { kunde: 'Jäger; GmbH', datum: '2026-03-15', menge: '10', betrag: '12.00' },
  ],
  types: { kunde: 'text', datum: 'date', menge: 'integer', betrag: 'numeric' },
  columns: {
    sqlite: 'kunde TEXT NOT NULL, datum TEXT, menge INTEGER, betrag TEXT',
    postgres: 'kunde varchar(40) NOT NULL, datum date, menge int, betrag numeric(12, 2)',
  },
  existing: {
    sqlite: [
      { kunde: 'Groß', datum: '28.02.2026', menge: '1', betrag: '-99,90' },
      { kunde: 'Müller & Söhne', datum: '01.03.2026', menge: '3', betrag: '1.234,50' },
      { kunde: 'Jäger; GmbH', datum: '15.03.2026', menge: '10', betrag: '12,00' },
    ],
  },
}

const kinds = [
  ['integer', (n: number) => String(n * 7 - 3), 'integer'],
  ['price', (n: number) => `${n}.50`, 'numeric'],
  ['day', (n: number) => `2026-03-${String(n).padStart(2, '0')}`, 'date'],
  ['at', (n: number) => `2026-03-01T08:00:0${n}Z`, 'timestamp with time zone'],
  ['local', (n: number) => `2026-03-01 08:00:0${n}`, 'timestamp without time zone'],
  ['code', (n: number) => `00${n}`, 'text'],
  ['is', (n: number) => (n % 2 === 0 ? 'true' : 'false'), 'boolean'],
  ['note', (n: number) => `"a ""quoted"", note ${n}"`, 'text'],
  ['big', (n: number) => `900719925474099${n}`, 'bigint'],
  ['maybe', (n: number) => (n === 2 ? '' : String(n)), 'integer'],
] as const

const mixedColumns = [1, 2, 3].flatMap((round) =>
  kinds.map(([name, value, type]) => ({ name: `${name}_${round}`, value, type })),
)
const mixedRow = (n: number): Row => ({
  id: String(n),
  price_1: `${n}.50`,
  day_2: `2026-03-0${n}`,
  code_3: `00${n}`,
  note_1: `a "quoted", note ${n}`,
  big_2: `900719925474099${n}`,
  maybe_3: n === 2 ? null : String(n),
})

const mixed: FirstDay = {
  title: '30 columns of mixed kinds and a key',
  file: 'mixed.csv',
  content: lf(
    ['id', ...mixedColumns.map(({ name }) => name)].join(','),
    ...[1, 2, 3, 4].map((n) => [n, ...mixedColumns.map(({ value }) => value(n))].join(',')),
  ),
  options: ['--key', 'id'],
  table: 'mixed',
  key: 'id',
  fresh: [1, 2, 3, 4].map(mixedRow),
  types: Object.fromEntries(mixedColumns.map(({ name, type }) => [name, type])),
  columns: {
    sqlite: ['id INTEGER PRIMARY KEY', ...mixedColumns.map(({ name }) => `${name} TEXT`)].join(', '),
    postgres: ['id bigint PRIMARY KEY', ...mixedColumns.map(({ name, type }) => `${name} ${type}`)].join(
      ', ',
    ),
  },
}

const events: FirstDay = {
  title: 'epoch milliseconds',
  file: 'events.csv',
  content: lf('id,at,kind', '1,1735689600000,open', '2,1735689600250,close'),
  options: [],
  table: 'events',
  key: 'id',
  fresh: [
    { id: '1', at: '1735689600000', kind: 'open' },
    { id: '2', at: '1735689600250', kind: 'close' },
  ],
  types: { id: 'integer', at: 'bigint', kind: 'text' },
  columns: {
    sqlite: 'id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT',
    postgres: 'id bigint PRIMARY KEY, at timestamptz NOT NULL, kind text',
  },
  existing: {
    postgres: [
      { id: '1', at: '2025-01-01T00:00:00+00:00', kind: 'open' },
      { id: '2', at: '2025-01-01T00:00:00.25+00:00', kind: 'close' },
    ],
  },
}

const statement: FirstDay = {
  title: 'a bank statement with a preamble and dd/mm/yyyy',
  file: 'statement.csv',
  content: crlf(
    'Account statement',
    'Account:,12-34-56 00000000',
    'Period:,01/03/2026 - 31/03/2026',
    '',
    'Date,Description,Debit,Credit,Balance',
    '03/03/2026,"CARD PAYMENT, SHOP",12.50,,987.50',
    '15/03/2026,SALARY,,"2,000.00","2,987.50"',
  ),
  options: [],
  table: 'statement',
  key: 'date',
  fresh: [
    {
      date: '2026-03-03',
      description: 'CARD PAYMENT, SHOP',
      debit: '12.50',
      credit: null,
      balance: '987.50',
    },
    { date: '2026-03-15', description: 'SALARY', debit: null, credit: '2000.00', balance: '2987.50' },
  ],
  types: { date: 'date', description: 'text', debit: 'numeric', credit: 'numeric', balance: 'numeric' },
  columns: {
    sqlite: 'date TEXT, description TEXT, debit TEXT, credit TEXT, balance TEXT',
    postgres:
      'date date, description text, debit numeric(12, 2), credit numeric(12, 2), balance numeric(12, 2)',
  },
  existing: {
    sqlite: [
      {
        date: '03/03/2026',
        description: 'CARD PAYMENT, SHOP',
        debit: '12.50',
        credit: null,
        balance: '987.50',
      },
      { date: '15/03/2026', description: 'SALARY', debit: null, credit: '2,000.00', balance: '2,987.50' },
    ],
  },
}

const names = Array.from({ length: 300 }, (_, index) => `c${index + 1}`)
const wideRow = (n: number): Row => ({ c1: String(n), c150: `t${n}-149`, c300: `t${n}-299` })

const wide: FirstDay = {
  title: '300 columns',
  file: 'wide.csv',
  content: lf(
    names.join(','),
    ...Array.from({ length: 50 }, (_, row) =>
      [...names.keys()].map((index) => (index % 2 === 0 ? row + index : `t${row}-${index}`)).join(','),
    ),
  ),
  options: [],
  table: 'wide',
  key: 'c1',
  fresh: Array.from({ length: 50 }, (_, row) => wideRow(row)),
  types: { c1: 'integer', c2: 'text', c299: 'integer', c300: 'text' },
  columns: {
    sqlite: names.map((name) => `${name} TEXT`).join(', '),
    postgres: names.map((name, index) => `${name} ${index % 2 === 0 ? 'int' : 'text'}`).join(', '),
  },
}

export const firstDay: readonly FirstDay[] = [sales, mixed, events, statement, wide]
