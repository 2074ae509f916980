// npx vitest run --root examples
// Tests of a model: of one record, and of messages on their way into a table. They need no server and leave no file.
import { createConsumer, decodeRecord, openQueue, openSink } from 'lading'
import { expect, it } from 'vitest'
import orders from './orders.ts'

const order = { id: '7', 'Customer Name': 'Ada', net: '100', tax: '19', placed_at: '2026-06-01 08:30:00' }

it('an order has its gross price and its time in UTC', () => {
  expect(decodeRecord(orders, order)).toMatchObject({
    row: { id: 7n, gross: '119.00', placed_at: '2026-06-01T06:30:00.000000Z' },
  })
})

it('an order with a tax larger than its price is refused', () => {
  expect(decodeRecord(orders, { ...order, tax: '190' })).toMatchObject({
    fault: { code: 'RECORD_INVALID', column: 'tax' },
  })
})

it('the last of two messages about one order counts, and one that arrives twice counts once', async () => {
  await using queue = await openQueue('memory:')
  await using sink = await openSink('sqlite::memory:')
  const message = (key: string, body: object) => ({
    key,
    body: Buffer.from(JSON.stringify(body)),
    headers: {},
  })
  const corrected = message('m2', { ...order, net: '200' })
  await queue.publish([message('m1', order), corrected, corrected])
  const tally = await createConsumer({ queue, model: orders, sink }).run({ untilEmpty: true })
  expect(tally).toMatchObject({ loaded: 2, duplicates: 1, deadMessages: 0 })
})
