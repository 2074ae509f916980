/** Objects that an event names, below the folders that a person has named. */
import { LadingError } from '../../core/errors.ts'
import { type SourceFile, wildcard } from '../found.ts'
import type { NamedObject } from '../store.ts'
import { addressOf, parseAddress } from './address.ts'
import { objectFacts } from './object.ts'

/**
 * Finds the file of an object below one of the folders (`s3://BUCKET/FOLDER/`), named as a load of the folder names
 * it, and in the state of the event; undefined of one that lies elsewhere. Where the store is and how it is reached, the folder says and never the
 * event. Throws `USAGE` for what is no folder.
 */
export function objectsBelow(folders: readonly string[]): (object: NamedObject) => SourceFile | undefined {
  const roots = folders.map(rootAt)
  return (object) => {
    const { bucket, key, version: versionId } = object
    for (const { address, base } of roots) {
      if (address.bucket !== bucket || !key.startsWith(base) || key === base) continue
      const seen = seenIn(object)
      const path = addressOf({ ...address, key, versionId })
      return { path, name: key.slice(base.length), ...(seen !== undefined && { seen }) }
    }
    return undefined
  }
}

/**
 * Saves asking for it. The store refuses each range of another state, so what is not true is found out, but for an
 * object without a byte, of which no range is read.
 */
const seenIn = ({ etag, size = 0 }: NamedObject): string | undefined =>
  etag === undefined || size <= 0 ? undefined : objectFacts(`"${etag}"`, size).state

function rootAt(folder: string) {
  if (!/^s3:\/\//i.test(folder))
    throw new LadingError('USAGE', '--s3-events takes a folder of S3: s3://BUCKET/FOLDER/, or s3://BUCKET/')
  const address = parseAddress(folder)
  const { key, versionId } = address
  if (versionId !== undefined || wildcard.test(key))
    throw new LadingError('USAGE', '--s3-events takes a folder of S3, and neither a pattern nor a version')
  return { address, base: key === '' || key.endsWith('/') ? key : `${key}/` }
}
