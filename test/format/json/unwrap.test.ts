/** Envelopes of services, as their documentation shows them: what of each is the record. */
import { expect, it } from 'vitest'
import { cellBytes, type Take, unquoted } from '../../../src/core/cells.ts'
import type { Format } from '../../../src/format/format.ts'
import { formatOf, messagesLayout } from '../../../src/format/registry.ts'

interface Options {
  readonly unwrap: readonly string[]
  readonly records?: string
  readonly fields?: readonly string[]
}

function read(body: unknown, { unwrap, records, fields = ['id'] }: Options) {
  const layout = messagesLayout({ unwrap, records })
  const wanted = fields.map((name) => ({ name, take: 'either' as Take }))
  const reader = (formatOf(layout) as Format).reader(layout, wanted, false)
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  expect(reader.open(bytes)).toBeUndefined()
  const all: unknown[] = []
  while (reader.next()) {
    const { fault } = reader
    if (fault !== undefined) all.push(`${fault.code} ${fault.detail}`)
    else
      all.push(
        fields.map((_, cell) =>
          reader.quoting[cell] === unquoted && reader.starts[cell] === reader.ends[cell]
            ? null
            : cellBytes(reader, cell).toString(),
        ),
      )
  }
  return all
}

const notification = (message: string, more = {}) => ({
  Type: 'Notification',
  MessageId: 'm-1',
  TopicArn: 'arn:aws:sns:eu-central-1:1:t',
  Message: message,
  Timestamp: '2026-01-05T10:00:00.000Z',
  ...more,
})
const huge = '9007199254740993'

it('sns: the JSON in the text of Message, with every digit, and the notification by $', () => {
  const fields = ['id', '$.TopicArn']
  expect(read(notification(`{"id":${huge}}`), { unwrap: ['sns'], fields })).toEqual([
    [huge, 'arn:aws:sns:eu-central-1:1:t'],
  ])
  expect(read(notification('[{"id":1},{"id":"ü\\n"}]'), { unwrap: ['sns'] })).toEqual([['1'], ['ü\n']])
  expect(read(notification('{"id":1,"$":2}'), { unwrap: ['sns'], fields })[0]).toContain('DUPLICATE_FIELD')
  expect(read(notification('{}'), { unwrap: ['sns'], fields })[0]).toContain('NO_FIELD')
  expect(read(notification('hello'), { unwrap: ['sns'] })).toEqual([
    'NOT_WRAPPED no envelope of sns: at byte 0 of its Message, a value is expected',
  ])
  expect(read(notification('5'), { unwrap: ['sns'] })[0]).toContain('BAD_JSON')
  expect(read(notification('', { Message: { id: 1 } }), { unwrap: ['sns'] })).toEqual([
    'NOT_WRAPPED no envelope of sns: its Message is no text',
  ])
  expect(read(notification('{"id":1} {}'), { unwrap: ['sns'] })[0]).toContain('more than one value')
  expect(read({ ...notification('x'), Type: 'SubscriptionConfirmation' }, { unwrap: ['sns'] })).toEqual([
    'NOT_WRAPPED no envelope of sns: its Type is not Notification',
  ])
  expect(read({ id: 1 }, { unwrap: ['sns'] })[0]).toContain('NOT_WRAPPED')
})

it('eventbridge: the detail', () => {
  const event = {
    version: '0',
    id: 'e',
    'detail-type': 'Order',
    source: 'shop',
    time: '2026-01-05T10:00:00Z',
    detail: { id: 7 },
  }
  expect(
    read(event, { unwrap: ['eventbridge'], fields: ['id', '$.time', '$."detail-type"', '$.detail'] }),
  ).toEqual([['7', '2026-01-05T10:00:00Z', 'Order', null]])
  expect(read({ detail: { id: 7 } }, { unwrap: ['eventbridge'] })[0]).toContain(
    'it has no detail with a detail-type',
  )
})

it('cloudevents: data, or what stands in data_base64, of one event or a batch', () => {
  const event = (more: object) => ({ specversion: '1.0', type: 't', source: '/s', id: 'c-1', ...more })
  expect(read(event({ data: { id: 1 } }), { unwrap: ['cloudevents'], fields: ['id', '$.id'] })).toEqual([
    ['1', 'c-1'],
  ])
  const base64 = Buffer.from('{"id":2}').toString('base64')
  expect(
    read([event({ data: { id: 1 } }), event({ data_base64: base64 })], { unwrap: ['cloudevents'] }),
  ).toEqual([['1'], ['2']])
  expect(read(event({}), { unwrap: ['cloudevents'] })[0]).toContain('it has no data')
  expect(read({ data: { id: 1 } }, { unwrap: ['cloudevents'] })[0]).toContain('it has no specversion')
})

it('s3: one record for each object of the notification, and none of the message that tests the set-up', () => {
  const records = [1, 2].map((n) => ({
    eventTime: `2026-01-05T10:00:0${n}.000Z`,
    s3: { object: { key: `k${n}` } },
  }))
  const options = { unwrap: ['s3'], fields: ['s3.object.key', 'eventTime'] }
  expect(read({ Records: records }, options)).toEqual([
    ['k1', '2026-01-05T10:00:01.000Z'],
    ['k2', '2026-01-05T10:00:02.000Z'],
  ])
  expect(read({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' }, options)).toEqual([])
  expect(read({ records }, options)[0]).toContain('it has no array of Records')
})

it('envelopes lie in one another, each with the one around it, and a path leads on into what they hold', () => {
  const records = { Records: [{ s3: { object: { key: 'k' } } }] }
  const fields = ['s3.object.key', '$.$.MessageId']
  expect(read(notification(JSON.stringify(records)), { unwrap: ['sns', 's3'], fields })).toEqual([
    ['k', 'm-1'],
  ])
  const inside = { unwrap: ['sns'], records: 'Records[].s3', fields: ['object.key', '$.MessageId'] }
  expect(read(notification(JSON.stringify(records)), inside)).toEqual([['k', 'm-1']])
  expect(read(notification('{"Records":{}}'), { ...inside, records: 'Records.s3' })[0]).toContain(
    'NO_RECORDS',
  )
})

it('debezium: the row after a change, with a schema around it or without, and nothing of a tombstone', () => {
  const change = (op: string, before: object | null, after: object | null) => ({
    before,
    after,
    source: { lsn: 5 },
    op,
    ts_ms: 1,
  })
  const options = { unwrap: ['debezium'], fields: ['id', '$.op', '$.source.lsn', '__deleted'] }
  for (const op of ['c', 'u', 'r']) {
    expect(read(change(op, null, { id: 1 }), options)).toEqual([['1', op, '5', null]])
    expect(read({ schema: {}, payload: change(op, { id: 0 }, { id: 1 }) }, options)).toEqual([
      ['1', op, '5', null],
    ])
  }
  expect(read(change('d', { id: 1 }, null), options)).toEqual([['1', 'd', '5', 'true']])
  for (const tombstone of [{ schema: null, payload: null }, '', 'null', 'default'])
    expect(read(tombstone, options)).toEqual([])
  expect(
    read(
      `${JSON.stringify(change('c', null, { id: 1 }))}\nnull\n${JSON.stringify(change('c', null, { id: 2 }))}\n`,
      options,
    ),
  ).toHaveLength(2)
  expect(read(change('d', null, null), options)[0]).toContain(
    'it deletes a row and has no before that names it',
  )
  expect(read(change('t', null, null), options)[0]).toContain('its op is "t", which changes no single row')
  expect(read({ status: 'BEGIN', id: '1' }, options)[0]).toContain('it has no op')
})

it('an unknown envelope is refused with those that there are', () => {
  expect(() => messagesLayout({ unwrap: ['kinesis'] })).toThrow(
    'unwrap (--unwrap) is sns, eventbridge, cloudevents, debezium, s3, and not "kinesis"',
  )
})
