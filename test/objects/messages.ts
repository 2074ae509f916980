/** Notifications as S3, SNS and EventBridge write them. */
import { createHash, randomUUID } from 'node:crypto'

export interface Told {
  readonly bucket: string
  readonly key: string
  readonly etag?: string
  readonly version?: string
  readonly size?: number
  readonly sequencer?: string
}

/** As S3 writes keys: a form's encoding. */
const asForm = (key: string): string => encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/')

export const s3Record = ({ bucket, key, etag, version, size, sequencer }: Told, about: object = {}) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'us-east-1',
  eventTime: '2026-01-01T00:00:00.000Z',
  eventName: 'ObjectCreated:Put',
  userIdentity: { principalId: 'EXAMPLE' },
  requestParameters: { sourceIPAddress: '127.0.0.1' },
  responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'lading',
    bucket: { name: bucket, ownerIdentity: { principalId: 'EXAMPLE' }, arn: `arn:aws:s3:::${bucket}` },
    object: { key: asForm(key), size, eTag: etag, versionId: version, sequencer, ...about },
  },
})

export const fromS3 = (told: Told) => ({ Records: [s3Record(told)] })

export const throughSns = (message: unknown) => ({
  Type: 'Notification',
  MessageId: randomUUID(),
  TopicArn: 'arn:aws:sns:us-east-1:000000000000:objects',
  Subject: 'Amazon S3 Notification',
  Message: JSON.stringify(message),
  Timestamp: '2026-01-01T00:00:00.000Z',
  SignatureVersion: '1',
})

export const eventBridge = ({ bucket, key, etag, version, size, sequencer }: Told) => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '000000000000',
  time: '2026-01-01T00:00:00Z',
  region: 'us-east-1',
  resources: [`arn:aws:s3:::${bucket}`],
  detail: {
    version: '0',
    bucket: { name: bucket },
    object: { key, size, etag, 'version-id': version, sequencer },
    'request-id': 'C3D13FE58DE4C810',
    requester: '000000000000',
    reason: 'PutObject',
  },
})

/** What S3 calls the ETag of an object that was put in one piece. */
export const etagOf = (body: string | Uint8Array): string => createHash('md5').update(body).digest('hex')
