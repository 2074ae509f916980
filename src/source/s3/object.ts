/** One object: what S3 says of it, and ranges of its bytes. */
import { LadingError } from '../../core/errors.ts'
import { collected } from '../collected.ts'
import { type Asked, type Facts, type Part, type RemoteFile, sourceChanged } from '../remote-file.ts'
import { type Address, addressOf, parseAddress, pathIn } from './address.ts'
import { clientFor, sdk } from './client.ts'
import { storeError } from './errors.ts'

export class S3Object implements RemoteFile {
  readonly url: string
  readonly #address: Address

  constructor(address: Address) {
    if (address.key === '')
      throw new LadingError('USAGE', `s3://${address.bucket} names a bucket and no object`)
    this.#address = address
    this.url = addressOf(address)
  }

  pathBelow(root: string): string | undefined {
    return pathIn(parseAddress(root), this.#address)
  }

  facts(): Promise<Facts> {
    return this.#call(async (target) => {
      const [client, { HeadObjectCommand }] = await Promise.all([clientFor(this.#address.options), sdk()])
      const { ETag, ContentLength } = await client.send(new HeadObjectCommand(target))
      return objectFacts(ETag, ContentLength)
    })
  }

  read({ at, bytes, state, signal }: Asked): Promise<Part> {
    return this.#call(async (target) => {
      const [client, { GetObjectCommand }] = await Promise.all([clientFor(this.#address.options), sdk()])
      const known = sizeIn(state)
      if (known !== undefined && at >= known)
        return { bytes: Buffer.alloc(0), facts: factsIn(state as string) }
      const end = Math.min(at + bytes, known ?? Number.POSITIVE_INFINITY) - 1
      const command = new GetObjectCommand({
        ...target,
        Range: `bytes=${at}-${end}`,
        ...(state !== undefined && { IfMatch: `"${tagIn(state)}"` }),
      })
      const answer = await client
        .send(command, signal === undefined ? {} : { abortSignal: signal })
        .catch((error: unknown) => {
          // Nothing is there any more, or the object has no byte at all.
          if (isOutOfRange(error)) return undefined
          throw error
        })
      if (answer === undefined) return { bytes: Buffer.alloc(0), facts: await this.facts() }
      const { ETag, ContentRange, ContentLength = 0, Body } = answer
      const facts = objectFacts(ETag, Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? ContentLength))
      if (state !== undefined && facts.state !== state) throw sourceChanged(this.url)
      return { bytes: await collected(Body as never, ContentLength, this.url), facts }
    })
  }

  async #call<T>(work: (target: Target) => Promise<T>): Promise<T> {
    const { bucket, key, versionId } = this.#address
    try {
      return await work({
        Bucket: bucket,
        Key: key,
        ...(versionId !== undefined && { VersionId: versionId }),
      })
    } catch (error) {
      throw storeError(error, this.url)
    }
  }
}

interface Target {
  readonly Bucket: string
  readonly Key: string
  readonly VersionId?: string
}

/** The entity tag stands for the content, and the size is there for those who have only the text. */
export const objectFacts = (tag = '', size = 0): Facts => ({
  // Listings of some stores leave the quotes out.
  state: `${size}:${tag.replaceAll('"', '')}`,
  size,
  hasRanges: true,
})

export const factsIn = (state: string): Facts => objectFacts(tagIn(state), sizeIn(state))

const sizeIn = (state?: string): number | undefined =>
  state === undefined ? undefined : Number(state.slice(0, state.indexOf(':')))
const tagIn = (state: string): string => state.slice(state.indexOf(':') + 1)

const isOutOfRange = (error: unknown): boolean =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 416
