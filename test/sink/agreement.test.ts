/**
 * Many random values of each type, from the bytes of a CSV file to COPY BINARY, and the same texts through
 * PostgreSQL's own input: whatever is accepted must be the same to the bit. LADING_TEST_VALUES says how many
 * values in all, LADING_TEST_SEED which ones. (test/sink/encoding.test.ts has fewer values, the edits of
 * each, and what is refused.)
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { defaultDialect } from '../../src/format/csv/dialect.ts'
import { CsvReader } from '../../src/format/csv/read.ts'
import * as columns from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { RecordDecoder } from '../../src/model/record.ts'
import { BinaryRows } from '../../src/sink/postgres/copy/binary.ts'
import { TextRows } from '../../src/sink/postgres/copy/text.ts'
import { cellsOf } from '../model/helpers.ts'
import { describePostgres, type FreshDatabase, freshDatabase } from '../../tooling/servers/database.ts'

const values = Number(process.env['LADING_TEST_VALUES'] ?? 1_000_000)
const seed = Number(process.env['LADING_TEST_SEED'] ?? 20_240_229)
const mostInBatch = 100_000

/** Whole numbers from 0 to before a limit, the same ones for the same seed (mulberry32). */
class Dice {
  #state: number

  constructor(state: number) {
    this.#state = state
  }

  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  below(limit: number): number {
    return Math.floor(((this.bits() * 2 ** 21 + (this.bits() >>> 11)) / 2 ** 53) * limit)
  }
  of<T>(...choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }
  digits(count: number): string {
    let text = ''
    while (text.length < count) text += String(this.below(1e9)).padStart(9, '0')
    return text.slice(0, count)
  }
  hex(count: number): string {
    let text = ''
    while (text.length < count) text += this.bits().toString(16).padStart(8, '0')
    return text.slice(0, count)
  }
}

const float = new Float64Array(1)
const floatWords = new Uint32Array(float.buffer)

function anyDouble(dice: Dice, exponent = dice.below(2047)): number {
  floatWords[0] = dice.bits()
  floatWords[1] = ((exponent << 20) | (dice.bits() >>> 12) | (dice.below(2) << 31)) >>> 0
  return float[0] as number
}

/**
 * Digits next to the middle between two doubles, where rounding is decided, and a power of ten that hides
 * them.
 */
function nearMiddle(dice: Dice): string {
  const exponent = 53 + dice.below(11)
  const middle = BigInt(Math.abs(anyDouble(dice, 1023 + exponent))) + (1n << BigInt(exponent - 53))
  const text = String(middle + BigInt(dice.of(-1, 0, 0, 1)))
  return dice.of(
    text,
    `${text}.0`,
    `${text.slice(0, 5)}.${text.slice(5)}`,
    `${text}e-${dice.below(30)}`,
    `${text}E+${dice.below(10)}`,
  )
}

const double = (dice: Dice): string =>
  dice.of(
    () => String(anyDouble(dice)),
    () => String(anyDouble(dice, 1023 - 20 + dice.below(60))),
    () => String(Math.abs(anyDouble(dice, 1022))),
    () => anyDouble(dice).toExponential(16),
    () => anyDouble(dice, 1000 + dice.below(60)).toPrecision(17),
    () => ((dice.below(2e9) - 1e9) / 1e6).toFixed(6),
    () => `${dice.of('', '-', '+')}${dice.digits(dice.below(10))}.${dice.digits(1 + dice.below(18))}`,
    () => `${dice.digits(1 + dice.below(18))}${dice.of('', 'e', 'e-')}${dice.below(30)}`,
    () => `0.${'0'.repeat(dice.below(8))}${dice.digits(17)}`,
    () => `${dice.digits(19 + dice.below(20))}e${dice.below(600) - 320}`,
    () => nearMiddle(dice),
    () => nearMiddle(dice),
  )()

const sign = (dice: Dice): string => dice.of('', '', '-', '+')

const bigint = (dice: Dice): string =>
  dice.of(
    () => sign(dice) + dice.digits(1 + dice.below(19)),
    () => String((BigInt(dice.of(1, -1)) << BigInt(dice.below(63))) + BigInt(dice.below(5) - 2)),
    () => String(2n ** 63n - 1n - BigInt(dice.below(10))),
    () => String(-(2n ** 63n) + BigInt(dice.below(10))),
    () => `${sign(dice)}000${dice.digits(18)}`,
    () => `${sign(dice)}${dice.of(2 ** 53, 2 ** 52, 1e15, 1e18)}`,
  )()

const integer = (dice: Dice): string =>
  dice.of(
    String(dice.bits() | 0),
    sign(dice) + dice.digits(1 + dice.below(9)),
    String((1 << dice.below(32)) + dice.below(3) - 1),
  )

const numeric = (dice: Dice): string =>
  dice.of(
    () => `${sign(dice)}${dice.digits(1 + dice.below(12))}.${dice.digits(dice.below(8))}`,
    () => `${sign(dice)}${dice.digits(1 + dice.below(9))}`,
    () =>
      `${sign(dice)}${dice.of('0', '', '000')}.${'0'.repeat(dice.below(9))}${dice.digits(1 + dice.below(9))}`,
    () =>
      `${sign(dice)}${1 + dice.below(9999)}${'0'.repeat(dice.below(17))}${dice.of('', '.', '.0', '.0000', '.00000')}`,
    () => `${sign(dice)}${dice.digits(1 + dice.below(40))}.${dice.digits(dice.below(40))}`,
    () =>
      `${sign(dice)}${dice.digits(1 + dice.below(6))}.${dice.digits(dice.below(6))}e${dice.below(40) - 20}`,
  )()

const money = (dice: Dice): string => {
  const fraction = dice.of('', '.', `.${dice.digits(dice.below(5))}`, `.${dice.digits(4)}0000`)
  return sign(dice) + dice.digits(1 + dice.below(8)) + fraction
}

const day = (dice: Dice): string =>
  new Date((dice.below(3_652_059) - 719_162) * 86_400_000).toISOString().slice(0, 10)
const two = (value: number): string => String(value).padStart(2, '0')
const local = (dice: Dice): string => {
  const seconds = dice.of(
    '',
    `:${two(dice.below(60))}`,
    `:${two(dice.below(60))}.${dice.digits(1 + dice.below(6))}`,
  )
  return `${day(dice)}${dice.of('T', ' ', 't')}${two(dice.below(24))}:${two(dice.below(60))}${seconds}${seconds.includes('.') ? dice.of('', '000') : ''}`
}
const clock = (dice: Dice): string => local(dice).slice(11)
const bytes = (dice: Dice): string => `\\x${dice.hex(2 * dice.below(20))}`
const offset = (dice: Dice): string => {
  const [hours, minutes, seconds] = [two(dice.below(16)), two(dice.below(60)), two(dice.below(60))]
  return dice.of(
    'Z',
    'z',
    dice.of('+', '-') +
      dice.of(hours, hours + minutes, `${hours}:${minutes}`, `${hours}:${minutes}:${seconds}`),
  )
}

const uuid = (dice: Dice): string => {
  const hex = dice.of(dice.hex(32), dice.hex(32).toUpperCase())
  return dice.of(hex, hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
}

const boolean = (dice: Dice): string =>
  dice.of(
    'true',
    'TRUE',
    't',
    'T',
    'yes',
    'Yes',
    'y',
    'on',
    'On',
    '1',
    'false',
    'False',
    'f',
    'no',
    'NO',
    'n',
    'off',
    'oFF',
    '0',
  )

/**
 * The share is how many of all values are of the type; `send` is what PostgreSQL sends a client that asks for
 * bits.
 */
const types = [
  { name: 'double precision', column: columns.doublePrecision(), text: double, send: 'float8send', share: 6 },
  {
    name: 'timestamptz',
    column: columns.timestamptz(),
    text: (dice: Dice) => local(dice) + offset(dice),
    send: 'timestamptz_send',
    share: 4,
  },
  { name: 'timestamp', column: columns.timestamp(), text: local, send: 'timestamp_send', share: 1 },
  { name: 'date', column: columns.date(), text: day, send: 'date_send', share: 1 },
  { name: 'bigint', column: columns.bigint(), text: bigint, send: 'int8send', share: 2 },
  { name: 'time', column: columns.time(), text: clock, send: 'time_send', share: 1 },
  { name: 'bytea', column: columns.bytea(), text: bytes, send: 'byteasend', share: 1 },
  { name: 'integer', column: columns.integer(), text: integer, send: 'int4send', share: 1 },
  { name: 'numeric', column: columns.numeric(), text: numeric, send: 'numeric_send', share: 2 },
  { name: 'numeric(12, 4)', column: columns.numeric(12, 4), text: money, send: 'numeric_send', share: 1 },
  { name: 'uuid', column: columns.uuid(), text: uuid, send: 'uuid_send', share: 1 },
  { name: 'boolean', column: columns.boolean(), text: boolean, send: 'boolsend', share: 1 },
] as const
const shares = types.reduce((sum, { share }) => sum + share, 0)

let database: FreshDatabase
let client: Client

async function copy(into: string, ...pieces: readonly Uint8Array[]): Promise<void> {
  await pipeline(Readable.from(pieces), client.query(copyFrom(`copy ${into}`)))
}

describePostgres('random values, as PostgreSQL reads them and as lading does:', () => {
  beforeAll(async () => {
    database = await freshDatabase()
    client = new Client({ connectionString: database.url })
    await client.connect()
    await client.query("set timezone to 'UTC'; set datestyle to 'ISO, MDY'")
  })
  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  it.each(types)(
    '$name',
    async ({ name, column, text, send, share }) => {
      const model = defineModel({
        table: 'ours',
        columns: { id: columns.integer().notNull(), value: column },
      })
      const rows = new BinaryRows(2)
      const decoder = new RecordDecoder(model, ['id', 'value'], rows)
      const dice = new Dice(seed)
      await client.query(
        `drop table if exists raw, ours; create temp table raw (id integer, text text); create temp table ours (id integer, value ${name})`,
      )
      const count = Math.ceil((values * share) / shares)
      for (let done = 0; done < count; done += mostInBatch) {
        const texts = Array.from({ length: Math.min(mostInBatch, count - done) }, () => text(dice))
        rows.clear()
        const reader = new CsvReader(defaultDialect)
        reader.open(Buffer.from(texts.map((each, id) => `${id},${each}\n`).join('')))
        while (reader.next()) decoder.decode(reader)
        expect(rows.rows).toBeGreaterThan(texts.length / 2)
        await client.query('truncate raw, ours')
        const raw = texts.map((each, id) => `${id}\t${each.replaceAll('\\', '\\\\')}\n`)
        await copy('raw from stdin', Buffer.from(raw.join('')))
        await copy('ours from stdin (format binary)', rows.header, rows.slice(0, rows.rows), rows.trailer)
        const { rows: answers } = await client.query(
          `select count(*)::integer count, (array_agg(text) filter (where ${send}(value) is distinct from ${send}(text::${name})))[:20] different
           from ours join raw using (id)`,
        )
        expect(answers).toEqual([{ count: rows.rows, different: null }])
      }
    },
    60_000 + values / 10,
  )

  it('arrays of text, from JSON', async () => {
    const pieces = ['', 'a', ' ', ',', '{', '}', '"', '\\', '\n', 'NULL', 'ä', '\t', "'"]
    const dice = new Dice(seed)
    const element = () =>
      dice.below(9) === 0 ? null : Array.from({ length: dice.below(4) }, () => dice.of(...pieces)).join('')
    const texts = Array.from({ length: 5000 }, () =>
      JSON.stringify(Array.from({ length: dice.below(5) }, element)),
    )
    const model = defineModel({ table: 'ours', columns: { value: columns.array(columns.text()) } })
    const rows = new TextRows([false])
    const decoder = new RecordDecoder(model, ['value'], rows)
    for (const each of texts) expect(decoder.decode(cellsOf([each]))).toBeUndefined()
    await client.query('create temp table lists (id serial, value text[])')
    await copy('lists (value) from stdin', rows.slice(0, rows.rows))
    const { rows: lists } = await client.query('select to_json(value) as list from lists order by id')
    expect(lists.map(({ list }) => JSON.stringify(list))).toEqual(texts)
  })
})
