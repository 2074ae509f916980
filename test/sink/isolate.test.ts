import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/core/fault.ts'
import { isolate } from '../../src/sink/sql/isolate.ts'

const fault: Fault = { code: 'CONSTRAINT_CHECK', detail: 'as a test' }

/** A batch, its bad rows, and for each attempt whether its error names the row. */
const cases = fc.integer({ min: 0, max: 300 }).chain((size) =>
  fc.record({
    first: fc.nat(50),
    size: fc.constant(size),
    bad: fc.subarray(Array.from({ length: size }, (_, row) => row)),
    names: fc.oneof(
      fc.constant([true]),
      fc.constant([false]),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
    ),
  }),
)

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

/** Isolates the rows against a table that refuses `bad`; `hint` says what row the error names. */
async function run(
  { first, size, bad }: Case,
  hint: (row: number, start: number, attempt: number) => number | undefined,
) {
  const placed: number[] = []
  const refused: number[] = []
  const badRows = new Set(bad.map((row) => first + row))
  let attempts = 0
  let sent = 0
  const attempt = async (start: number, end: number) => {
    expect(start).toBeLessThan(end)
    const rows = Array.from({ length: end - start }, (_, row) => start + row)
    const row = rows.find((each) => badRows.has(each))
    attempts++
    sent += end - start
    if (row !== undefined) return { kind: 'refused' as const, fault, row: hint(row, start, attempts) }
    placed.push(...rows)
    return { kind: 'placed' as const }
  }
  await isolate(first, first + size, attempt, (row) => refused.push(row))
  return {
    placed,
    refused,
    attempts,
    sent,
    badRows: [...badRows],
    all: Array.from({ length: size }, (_, row) => first + row),
  }
}

/** Rows in all attempts together. */
const mostSent = (size: number) => size * (Math.log2(Math.max(size, 1)) + 4)

const mostAttempts = ({ size, bad }: Case) => bad.length * (2 * Math.log2(Math.max(size, 1)) + 2) + 2

describe('isolate', () => {
  it('exactly the bad rows are refused, in their order, whether or not errors name them, in few attempts', async () => {
    const property = fc.asyncProperty(cases, async (each) => {
      const { placed, refused, attempts, badRows, all } = await run(each, (row, _, n) =>
        each.names[n % each.names.length] ? row : undefined,
      )
      expect(refused).toEqual(badRows)
      expect(placed).toEqual(all.filter((row) => !badRows.includes(row)))
      expect(attempts).toBeLessThanOrEqual(mostAttempts(each))
    })
    await fc.assert(property, { numRuns: 300 })
  })

  it('an error that names a wrong row costs no good one', async () => {
    const lies = fc.tuple(cases, fc.array(fc.integer({ min: -3, max: 310 }), { minLength: 1, maxLength: 10 }))
    const property = fc.asyncProperty(lies, async ([each, names]) => {
      const { placed, refused, attempts, badRows, all } = await run(
        each,
        (_, start, n) => start + (names[n % names.length] ?? 0),
      )
      expect(refused).toEqual(badRows)
      expect(placed).toEqual(all.filter((row) => !badRows.includes(row)))
      expect(attempts).toBeLessThanOrEqual(mostAttempts(each) + 2 * Math.log2(each.size + 1) + 2)
    })
    await fc.assert(property, { numRuns: 300 })
  })

  it('all attempts together send about n log n rows, however many are bad and whatever errors name', async () => {
    const names = fc.oneof(
      fc.constant([0]),
      fc.array(fc.option(fc.integer({ min: -3, max: 310 })), { minLength: 1, maxLength: 10 }),
    )
    const property = fc.asyncProperty(cases, names, fc.boolean(), async (each, hints, honest) => {
      const { sent } = await run(each, (row, start, n) => {
        const hint = hints[n % hints.length] ?? undefined
        return hint === undefined ? undefined : honest ? row : start + hint
      })
      expect(sent).toBeLessThanOrEqual(mostSent(each.size))
    })
    await fc.assert(property, { numRuns: 600 })
  })

  it.for(['every row', 'every second row', 'the second half', 'the first half'])(
    'a large batch of which %s is bad and named is sent a few times at most',
    async (which) => {
      const size = 8000
      const isBad = { 'every row': () => true, 'every second row': (row: number) => row % 2 === 0 }[which]
      const half = (row: number) => (which === 'the second half' ? row >= size / 2 : row < size / 2)
      const bad = Array.from({ length: size }, (_, row) => row).filter(isBad ?? half)
      let sent = 0
      let next = 0
      const attempt = async (start: number, end: number) => {
        sent += end - start
        while (next < bad.length && (bad[next] as number) < start) next++
        const row = bad[next]
        return row === undefined || row >= end
          ? { kind: 'placed' as const }
          : { kind: 'refused' as const, fault, row }
      }
      const refused: number[] = []
      await isolate(0, size, attempt, (row) => refused.push(row))
      expect(refused).toEqual(bad)
      expect(sent).toBeLessThanOrEqual(6 * size)
    },
  )

  it('an error that names the last row each time, whichever is bad, does not send the batch once for each row', async () => {
    const { sent, refused } = await run(
      { first: 0, size: 1000, bad: [0], names: [] },
      (_, start) => start + 999,
    )
    const creeping = await run({ first: 0, size: 1000, bad: [0], names: [] }, (_, __, n) => 1000 - n)
    expect([refused, creeping.refused]).toEqual([[0], [0]])
    expect(Math.max(sent, creeping.sent)).toBeLessThanOrEqual(mostSent(1000))
  })

  it('a batch without a bad row costs one attempt, an empty one none', async () => {
    const none = { first: 0, bad: [], names: [] }
    expect(await run({ ...none, size: 300 }, () => undefined)).toMatchObject({ attempts: 1 })
    expect(await run({ ...none, size: 0 }, () => undefined)).toMatchObject({ attempts: 0 })
  })

  it('an error of the system comes out at once', async () => {
    const attempt = () => Promise.reject(new Error('as a test'))
    await expect(isolate(0, 10, attempt, () => expect.unreachable())).rejects.toThrow('as a test')
  })
})
