import { expect, it } from 'vitest'
import { encodeHead } from '../../src/infer/decoded.ts'
import { Fixture, numbers } from '../support/fixture.ts'
import { sourceOf } from '../support/inferred.ts'

it('no more records are encoded than are asked for, and no more of a file is read for them', async () => {
  await using fixture = await Fixture.open()
  const rows = (await fixture.sink()).rows(numbers)
  const piece = Buffer.from('1,word of many\n'.repeat(50_000))
  let read = 0
  const source = {
    ...sourceOf(Buffer.alloc(0)),
    reading: {},
    bytes: async function* () {
      yield Buffer.from('id,note\n')
      for (let pieces = 0; pieces < 20; pieces++, read++) yield piece
    },
  }
  expect(await encodeHead(source, numbers, rows, 60_000)).toBeGreaterThan(0)
  expect(rows.rows).toBe(60_000)
  // Whatever is read ahead, and however often they are encoded.
  expect(read).toBeLessThan(20)
})
