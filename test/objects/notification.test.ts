import { describe, expect, it } from 'vitest'
import { notificationIn } from '../../src/objects/notification.ts'
import { eventBridge, fromS3, s3Record, throughSns } from './messages.ts'

const read = (value: unknown) => notificationIn(Buffer.from(JSON.stringify(value)))
const object = {
  bucket: 'logs',
  key: 'in/a b+c%ü.csv',
  etag: 'e1',
  version: 'v1',
  size: 7,
  sequencer: '0055',
}

describe('a notification of S3 names the objects that came into being', () => {
  it.for([
    ['from S3 itself', fromS3(object)],
    ['through SNS, in its envelope', throughSns(fromS3(object))],
    ['through EventBridge', eventBridge(object)],
    ['through EventBridge and SNS', throughSns(eventBridge(object))],
  ] as const)('%s', ([, message]) => {
    expect(read(message)).toEqual({ objects: [object], others: [] })
  })

  it('keys are written as forms write them by S3, and as they are by EventBridge', () => {
    const records = { Records: [s3Record({ bucket: 'b', key: 'x' }, { key: 'a+b%2Bc/%E2%82%AC' })] }
    expect(read(records)).toMatchObject({ objects: [{ key: 'a b+c/€' }] })
    expect(read(eventBridge({ bucket: 'b', key: 'a+b%2Bc' }))).toMatchObject({
      objects: [{ key: 'a+b%2Bc' }],
    })
  })

  it('of a store that writes the name of the event as it is configured', () => {
    const event = { eventName: 's3:ObjectCreated:CompleteMultipartUpload' }
    expect(read({ EventName: 'x', Records: [{ ...s3Record(object), ...event }] })).toMatchObject({
      objects: [{ key: object.key }],
    })
  })

  it('without a version, an etag or a sequencer, where a bucket or a store has none', () => {
    expect(read(fromS3({ bucket: 'b', key: 'k' }))).toEqual({
      objects: [
        { bucket: 'b', key: 'k', version: undefined, etag: undefined, size: undefined, sequencer: undefined },
      ],
      others: [],
    })
  })
})

describe('other events bring nothing to load', () => {
  it.for([
    ['s3:TestEvent', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'logs' }],
    ['ObjectRemoved:Delete', { Records: [{ ...s3Record(object), eventName: 'ObjectRemoved:Delete' }] }],
    [
      'ObjectRestore:Completed',
      { Records: [{ ...s3Record(object), eventName: 's3:ObjectRestore:Completed' }] },
    ],
    ['Object Deleted', { ...eventBridge(object), 'detail-type': 'Object Deleted' }],
  ] as const)('%s', ([event, message]) => {
    expect(read(message)).toEqual({ objects: [], others: [event] })
    expect(read(throughSns(message))).toEqual({ objects: [], others: [event] })
  })

  it('beside objects in one message', () => {
    const removed = { ...s3Record({ bucket: 'b', key: 'old' }), eventName: 'ObjectRemoved:Delete' }
    const found = read({ Records: [s3Record(object), removed, s3Record({ bucket: 'b', key: 'k' })] })
    expect(found).toMatchObject({ objects: [object, { key: 'k' }], others: ['ObjectRemoved:Delete'] })
  })
})

describe('what is no notification is said to be none', () => {
  it.for([
    [{}, 'it has no Records'],
    [[], 'it is no JSON object'],
    [{ Type: 'SubscriptionConfirmation', Message: 'You have chosen …' }, 'its Type is not Notification'],
    [throughSns('hello'), 'in its Message, it is no JSON object'],
    [{ Type: 'Notification', Message: 'hello' }, 'in its Message, it is no JSON'],
    [{ Records: [{ s3: {} }] }, 'a record has no eventName'],
    [{ Records: [7] }, 'a record has no eventName'],
    [{ Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'b' } } }] }, 'no bucket or no key'],
    [{ Records: [s3Record({ bucket: 'b', key: 'x' }, { key: '%ff' })] }, 'no bucket or no key'],
    [{ source: 'aws.ec2', 'detail-type': 'Object Created', detail: {} }, 'it has no Records'],
    [{ source: 'aws.s3', 'detail-type': 'Object Created' }, 'no bucket or no key'],
  ] as const)('%j', ([message, reason]) => {
    expect(read(message)).toEqual(expect.stringContaining(reason))
  })

  it.for(['', 'no JSON', '\xff', 'null', '{"Records":'])('%j', (text) => {
    expect(notificationIn(Buffer.from(text, 'latin1'))).toMatch(/^it is no JSON/)
  })
})
