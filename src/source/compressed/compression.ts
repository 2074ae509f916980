/** What a file is compressed with, by its first bytes: a name may be wrong, and standard input has none. */
import { LadingError } from '../../core/errors.ts'
import { refuseForeign, signatureBytes } from './foreign.ts'

export type Compression = 'gzip' | 'zstd'

// The first bytes of formats are control characters, mostly.
/* oxlint-disable no-control-regex */
const read: readonly { readonly compression: Compression; readonly signature: RegExp }[] = [
  { compression: 'gzip', signature: /^\x1f\x8b/ },
  // A skippable frame may come first.
  { compression: 'zstd', signature: /^(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/ },
]
/* oxlint-enable no-control-regex */

/**
 * The compression of the file that begins with `start`. Throws for a file of a kind that is not read, and for
 * one that its name calls compressed and that is not.
 */
export function compressionOf(path: string, start: Uint8Array): Compression | undefined {
  const text = Buffer.from(start.subarray(0, signatureBytes)).toString('latin1')
  const found = read.find(({ signature }) => signature.test(text))
  if (found !== undefined) return found.compression
  refuseForeign(path, start)
  const named = /\.(gz|zst)$/i.exec(path)?.[1]?.toLowerCase()
  if (named === undefined) return undefined
  const what = named === 'gz' ? 'gzip' : 'zstd'
  const why =
    start.length === 0
      ? 'the file is empty'
      : `it does not begin as ${what} does; a file that is not compressed has no such name`
  throw new LadingError('SOURCE_CORRUPT', `${path}: ${why}`)
}
