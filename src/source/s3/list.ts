/** What is in a bucket, a thousand objects at a time. */
import { patiently } from '../remote-file.ts'
import { type Address, addressOf } from './address.ts'
import { clientFor, sdk } from './client.ts'
import { storeError } from './errors.ts'
import { objectFacts } from './object.ts'

export interface Listed {
  readonly key: string
  readonly state: string
}

/** In pages, in the order of the store. */
export async function* listed(address: Address, prefix: string): AsyncGenerator<readonly Listed[]> {
  let token: string | undefined
  do {
    const page = await patiently(() => pageOf(address, prefix, token))
    yield page.objects
    token = page.next
  } while (token !== undefined)
}

async function pageOf(address: Address, prefix: string, token: string | undefined) {
  const { bucket, options } = address
  try {
    const [client, { ListObjectsV2Command }] = await Promise.all([clientFor(options), sdk()])
    const answer = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        // A key may hold what XML cannot.
        EncodingType: 'url',
        ...(token !== undefined && { ContinuationToken: token }),
      }),
    )
    const { Contents = [], EncodingType, IsTruncated, NextContinuationToken } = answer
    const keyOf = EncodingType === 'url' ? decoded : (key: string) => key
    const objects = Contents.map(({ Key = '', ETag, Size }) => ({
      key: keyOf(Key),
      state: objectFacts(ETag, Size).state,
    }))
    return { objects, next: IsTruncated === true ? NextContinuationToken : undefined }
  } catch (error) {
    throw storeError(
      isDenied(error) ? Object.assign(error, { name: 'ListDenied' }) : error,
      addressOf(address),
    )
  }
}

const decoded = (key: string): string => decodeURIComponent(key.replaceAll('+', ' '))

const isDenied = (error: unknown): error is Error => error instanceof Error && error.name === 'AccessDenied'
