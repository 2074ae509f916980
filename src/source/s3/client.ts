/**
 * The client of S3, which finds credentials, region and endpoint where it always does. There is one for each way
 * to reach a store, for as long as the process lives; its sockets keep no process alive.
 */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { withDriver } from '../../core/address.ts'
import type { Options } from './address.ts'

const connectWithinMs = 5_000
const answerWithinMs = 20_000
const sockets = 64
/** Where nothing names a region: not AWS, and such services ignore it. */
const anyRegion = 'us-east-1'
const awsHost = /\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)$/

export const packages = ['@aws-sdk/client-s3']

const clients = new Map<string, Promise<S3Client>>()

/** A failure to make one is not kept. */
export function clientFor(options: Options): Promise<S3Client> {
  const key = new URLSearchParams({ ...options }).toString()
  const known = clients.get(key)
  if (known !== undefined) return known
  const made = makeClient(options)
  clients.set(key, made)
  made.catch(() => clients.delete(key))
  return made
}

export const sdk = () => withDriver('s3', packages, () => import('@aws-sdk/client-s3'))

const silent = () => undefined
/** Else the client writes to the console. */
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

const settings: S3ClientConfig = {
  // Retries are ours.
  maxAttempts: 1,
  followRegionRedirects: true,
  // The sha256 of chunks proves them, and not every store knows these sums.
  responseChecksumValidation: 'WHEN_REQUIRED',
  logger,
  requestHandler: {
    connectionTimeout: connectWithinMs,
    requestTimeout: answerWithinMs,
    throwOnRequestTimeout: true,
    httpAgent: { maxSockets: sockets },
    httpsAgent: { maxSockets: sockets },
    logger,
  },
}

const anonymous = { accessKeyId: '', secretAccessKey: '' }

async function makeClient(options: Options): Promise<S3Client> {
  const { S3Client } = await sdk()
  const { endpoint } = options
  const region = options.region ?? (await configuredRegion(S3Client)) ?? anyRegion
  const place = { ...settings, region, ...(endpoint !== undefined && { endpoint }) }
  const host = await hostOf(new S3Client({ ...place, credentials: anonymous }))
  const forcePathStyle = options.style === undefined ? !awsHost.test(host) : options.style === 'path'
  if (options.anonymous === undefined) return new S3Client({ ...place, forcePathStyle })
  return new S3Client({
    ...place,
    forcePathStyle,
    credentials: anonymous,
    signer: { sign: async (request) => request },
  })
}

async function configuredRegion(Client: typeof S3Client): Promise<string | undefined> {
  const client = new Client({ logger })
  try {
    return await client.config.region()
  } catch {
    return undefined
  } finally {
    client.destroy()
  }
}

/** Where calls would go: a variable or a configuration file may name an endpoint. Nothing is sent. */
async function hostOf(client: S3Client): Promise<string> {
  const { HeadBucketCommand } = await sdk()
  let host = ''
  const stop = new Error('far enough')
  client.middlewareStack.add(
    (_, context) => async () => {
      host = (context as { endpointV2?: { url: URL } }).endpointV2?.url.hostname ?? ''
      throw stop
    },
    { step: 'build', name: 'ladingPlace', priority: 'high' },
  )
  try {
    // Too short for a bucket, so that it stays out of the name of the host.
    await client.send(new HeadBucketCommand({ Bucket: 'a' }))
  } catch (error) {
    if (error !== stop) throw error
  } finally {
    client.destroy()
  }
  return host
}
