/** The oracle of the conductor sees each way in which tables may differ from what was to be loaded. */
import { describe, expect, it } from 'vitest'
import { type Found, type Input, judge, type Policy, type Row } from '../../faults/oracle.ts'

const row = (n: number, version = 1, note = `note ${n}.${version}`): Row => ({
  family: 'f',
  n,
  version,
  note,
})
const [first, second] = [row(1), row(2)]

const input = (policy: Policy, more: Partial<Input> = {}): Input => ({
  policy,
  records: [
    { place: 'in.csv:2', row: first },
    { place: 'in.csv:3', row: second },
  ],
  loads: [{ source: 'in.csv', records: 2 }],
  ...more,
})
const receipt = { source: 'in.csv', records: 2, loaded: 2, rejected: 0, skipped: 0, problems: [] }
const right: Found = { rows: [second, first], rejects: [], receipts: [receipt], deadLetters: 0, left: 0 }

const messages = (policy: Policy, ...rows: readonly Row[]): Input => ({
  policy,
  records: rows.map((each, index) => ({ place: `m:${index + 1}`, row: each })),
  loads: [],
})
const found = (rows: readonly Row[], more: Partial<Found> = {}): Found => ({
  ...right,
  receipts: [],
  rows,
  ...more,
})

describe('the oracle', () => {
  it('has nothing to say of tables as they must be', () => {
    expect(judge(input('none'), right)).toEqual({
      records: 2,
      lost: 0,
      doubled: 0,
      unexpected: 0,
      problems: [],
    })
  })

  it.each([
    ['a lost record', { rows: [first] }, { lost: 1 }],
    ['a doubled row', { rows: [first, second, second] }, { doubled: 1 }],
    ['a row that nobody sent', { rows: [first, second, row(3)] }, { unexpected: 1 }],
    ['a row whose values have changed', { rows: [first, { ...second, n: 7 }] }, { unexpected: 1 }],
    ['a reject of a good record', { rejects: [{ place: 'in.csv:2', code: 'X', state: 'open' }] }, {}],
    ['a receipt that does not add up', { receipts: [{ ...receipt, loaded: 1 }] }, {}],
    ['a receipt of another number of records', { receipts: [{ ...receipt, records: 3, loaded: 3 }] }, {}],
    ['what the receipt itself finds wrong', { receipts: [{ ...receipt, problems: ['wrong'] }] }, {}],
    ['a load without a receipt', { receipts: [] }, {}],
    ['a load that nobody sent', { receipts: [receipt, { ...receipt, source: 'b.csv' }] }, {}],
    ['a dead letter', { deadLetters: 1 }, {}],
    ['a message left in the queue', { left: 1 }, {}],
  ])('sees %s', (_, wrong, counts) => {
    const verdict = judge(input('none'), { ...right, ...wrong })
    expect(verdict).toMatchObject(counts)
    expect(verdict.problems.length).toBeGreaterThan(0)
  })

  it('knows which records must be refused, and why', () => {
    const bad = input('none', {
      records: [
        { place: 'in.csv:2', row: first },
        { place: 'in.csv:3', row: second, code: 'BAD' },
      ],
    })
    const receipts = [{ ...receipt, loaded: 1, rejected: 1 }]
    const problems = (rows: readonly Row[], ...rejects: Found['rejects']) =>
      judge(bad, { ...right, rows, receipts, rejects }).problems
    const reject = { place: 'in.csv:3', code: 'BAD', state: 'open' }
    expect(problems([first], reject)).toEqual([])
    expect(problems([first])).toHaveLength(1)
    expect(problems([first], reject, reject)).toHaveLength(1)
    expect(problems([first], { ...reject, place: 'in.csv:2' })).toHaveLength(2)
    expect(problems([first], { ...reject, code: 'OTHER' })).toHaveLength(2)
    expect(problems([first, second], reject)).not.toEqual([])
  })

  it('wants a corrected record in the table once, and its reject replayed', () => {
    const mended = messages('none', first, second)
    const records = mended.records.map((record, index) =>
      index === 1 ? { ...record, code: 'BAD', isMended: true } : record,
    )
    const judged = (rows: readonly Row[], state: string) =>
      judge({ ...mended, records }, found(rows, { rejects: [{ place: 'm:2', code: 'BAD', state }] }))
    expect(judged([first, second], 'replayed').problems).toEqual([])
    expect(judged([first, second], 'open').problems).not.toEqual([])
    expect(judged([first], 'replayed')).toMatchObject({ lost: 1 })
    expect(judged([first, second, second], 'replayed')).toMatchObject({ doubled: 1 })
  })

  it('wants all records of a key refused but the one in the table', () => {
    const sent = messages('error', first, row(1, 2))
    const rejected = (place: string) => [{ place, code: 'CONSTRAINT_UNIQUE', state: 'open' }]
    expect(judge(sent, found([first], { rejects: rejected('m:2') })).problems).toEqual([])
    expect(judge(sent, found([row(1, 2)], { rejects: rejected('m:1') })).problems).toEqual([])
    expect(judge(sent, found([first], { rejects: rejected('m:1') })).problems).not.toEqual([])
    expect(judge(sent, found([first])).problems).not.toEqual([])
  })

  it('wants one record of each key where others are left out, whichever', () => {
    const sent = messages('skip', first, row(1, 2))
    expect(judge(sent, found([row(1, 2)])).problems).toEqual([])
    expect(judge(sent, found([first, row(1, 2)]))).toMatchObject({ doubled: 1 })
    expect(judge(sent, found([row(1, 3)]))).toMatchObject({ unexpected: 1 })
  })

  it('wants the highest version, or the one that was sent last', () => {
    const rows = [row(1, 2), row(1, 9), row(1, 5)] as const
    expect(judge(messages('version', ...rows), found([rows[1]])).problems).toEqual([])
    expect(judge(messages('version', ...rows), found([rows[2]]))).toMatchObject({ unexpected: 1 })
    expect(judge(messages('last', ...rows), found([rows[2]])).problems).toEqual([])
    expect(judge(messages('last', ...rows), found([rows[1]]))).toMatchObject({ unexpected: 1 })
  })
})
