/** Where a file that grows goes on behind what was loaded of it. */
import { expect, it } from 'vitest'
import { firstRecord, seamAt } from '../../src/producer/prefix.ts'
import { sourceOf } from '../support/inferred.ts'

it.each([
  ['a\nb\n', 0, { start: 0 }],
  ['a\nb\n', 2, { start: 2 }],
  ['a\nb\n', 1, { start: 2 }],
  ['a\r\nb\n', 1, { start: 3 }],
  ['a', 1, 'open'],
  ['a\r', 1, 'open'],
  ['ab\n', 1, 'other'],
  ['', 1, 'open'],
] as const)('of %j, loaded up to byte %i, the next record is at %j', async (content, bytes, seam) => {
  expect(await seamAt(sourceOf(Buffer.from(content)), bytes)).toEqual(seam)
})

it.each([
  ['id,note\n1,a\n2,b\n', '1,a\n'],
  ['id,note\n1,a', undefined],
  ['id,no', undefined],
])('the first record of %j is %j', async (content, record) => {
  expect((await firstRecord(sourceOf(Buffer.from(content)), { format: 'csv' }))?.toString()).toBe(record)
})
