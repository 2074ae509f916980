/**
 * A server that speaks the protocol of S3: fauxqs behind a front that counts what is asked for, and answers
 * otherwise where a test says so.
 */
import { randomUUID } from 'node:crypto'
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { buildApp } from 'fauxqs'
import { afterAll, beforeAll } from 'vitest'
import { sqsEnvironment } from './sqs.ts'

/** Nobody checks them, and nobody is asked for others. */
export const s3Environment = sqsEnvironment

export interface S3Call {
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  /** First byte of the range that is asked for; undefined where none is. */
  readonly from: number | undefined
  readonly headers: IncomingMessage['headers']
}

/** What is done instead of answering: the code of an error, a lost connection, or one after half of the body. */
export type S3Trouble = { readonly status: number; readonly code: string } | 'cut' | 'half' | undefined

const partBytes = 8 * 1024 * 1024

export class S3Stub {
  readonly #app = buildApp({ logger: false })
  readonly #front: Server = createServer((request, response) => void this.#serve(request, response))
  #inner = 0
  #client: S3Client | undefined
  calls: S3Call[] = []
  trouble: (call: S3Call) => S3Trouble | Promise<S3Trouble> = () => undefined

  async start(): Promise<void> {
    await this.#app.listen({ port: 0, host: '127.0.0.1' })
    this.#inner = (this.#app.server.address() as AddressInfo).port
    await new Promise<void>((resolve) => this.#front.listen(0, '127.0.0.1', resolve))
    this.#client = new S3Client({
      endpoint: `http://127.0.0.1:${this.#inner}`,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`
  }

  async bucket(): Promise<string> {
    const Bucket = `lading-${randomUUID().slice(0, 8)}`
    await this.client.send(new CreateBucketCommand({ Bucket }))
    return Bucket
  }

  /** Not through the front. */
  get client(): S3Client {
    if (this.#client === undefined) throw new Error('the server has not been started')
    return this.#client
  }

  async put(Bucket: string, Key: string, body: string | Uint8Array): Promise<void> {
    const Body = Buffer.from(body)
    if (Body.length <= partBytes) {
      await this.client.send(new PutObjectCommand({ Bucket, Key, Body }))
      return
    }
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const Parts: { readonly ETag: string | undefined; readonly PartNumber: number }[] = []
    for (let at = 0; at < Body.length; at += partBytes) {
      const PartNumber = Parts.length + 1
      const piece = Body.subarray(at, at + partBytes)
      const { ETag } = await this.client.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: piece }),
      )
      Parts.push({ ETag, PartNumber })
    }
    await this.client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    )
  }

  async remove(Bucket: string, Key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket, Key }))
  }

  async stop(): Promise<void> {
    this.#client?.destroy()
    this.#front.closeAllConnections()
    await new Promise<void>((resolve) => this.#front.close(() => resolve()))
    await this.#app.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = callOf(request)
    this.calls.push(call)
    const trouble = await this.trouble(call)
    if (trouble === 'cut') return void request.socket.destroy()
    if (typeof trouble === 'object') {
      const body = `<?xml version="1.0"?><Error><Code>${trouble.code}</Code><Message>${trouble.code} it is.</Message></Error>`
      response.writeHead(trouble.status, { 'content-type': 'application/xml' })
      return void response.end(request.method === 'HEAD' ? undefined : body)
    }
    const options = { port: this.#inner, host: '127.0.0.1', method: request.method, path: request.url }
    const forwarded = send({ ...options, headers: request.headers }, (answer) => {
      if (call.query.get('encoding-type') === 'url') return void encode(answer, response)
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      if (trouble !== 'half') return void answer.pipe(response)
      let left = Math.floor(Number(answer.headers['content-length'] ?? 0) / 2)
      answer.on('data', (piece: Buffer) => {
        if (left <= 0) return
        response.write(piece.subarray(0, left), () => left <= 0 && response.destroy())
        left -= piece.length
      })
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  }
}

/** Keys as S3 writes them where it is asked to, and fauxqs does not. */
async function encode(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(answer)
  const encoded = body
    .replaceAll(/(?<=<Key>).*?(?=<\/Key>)/gs, (key) =>
      encodeURIComponent(plainOf(key)).replaceAll('%20', '+').replaceAll('%2F', '/'),
    )
    .replace('<KeyCount>', '<EncodingType>url</EncodingType><KeyCount>')
  response.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/xml' }).end(encoded)
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const plainOf = (xml: string): string =>
  xml.replaceAll(/&(\w+);/g, (_, name: keyof typeof entities) => entities[name])

function callOf(request: IncomingMessage): S3Call {
  const url = new URL(request.url ?? '/', 'http://any')
  const [, bucket = '', ...key] = url.pathname.split('/')
  const from = /^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]
  return {
    method: request.method ?? '',
    bucket,
    key: decodeURIComponent(key.join('/')),
    query: url.searchParams,
    from: from === undefined ? undefined : Number(from),
    headers: request.headers,
  }
}

/** Call at the top of a test file. */
export function useS3() {
  let stub: S3Stub | undefined
  beforeAll(async () => {
    Object.assign(process.env, s3Environment)
    stub = new S3Stub()
    await stub.start()
  })
  afterAll(() => stub?.stop())
  return (): S3Stub => {
    if (stub === undefined) throw new Error('the server has not been started')
    return stub
  }
}
