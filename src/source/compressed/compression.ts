/** What a file is compressed with, by its first bytes: a name may be wrong, and standard input has none. */
import { LadingError } from '../../core/errors.ts'

export type Compression = 'gzip' | 'zstd'

/** Enough of a file to know it. */
export const signatureBytes = 10

interface Format {
  readonly name: string
  readonly signature: RegExp
  /** How to unpack what is not read here. */
  readonly unpack: string
}

// The first bytes of formats are control characters, mostly.
/* oxlint-disable no-control-regex */
const read: readonly { readonly compression: Compression; readonly signature: RegExp }[] = [
  { compression: 'gzip', signature: /^\x1f\x8b/ },
  // A skippable frame may come first.
  { compression: 'zstd', signature: /^(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/ },
]

const notRead: readonly Format[] = [
  { name: 'bzip2', signature: /^BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)/, unpack: 'bzip2 -dc FILE' },
  { name: 'xz', signature: /^\xfd7zXZ\0/, unpack: 'xz -dc FILE' },
  { name: 'lz4', signature: /^\x04\x22\x4d\x18/, unpack: 'lz4 -dc FILE' },
  {
    name: 'a ZIP archive (or a workbook of a spreadsheet, which is to be saved as CSV)',
    signature: /^PK(\x03\x04|\x05\x06)/,
    unpack: 'unzip -p FILE',
  },
  { name: '7z', signature: /^7z\xbc\xaf\x27\x1c/, unpack: '7z x -so FILE' },
  { name: 'compress', signature: /^\x1f\x9d/, unpack: 'gzip -dc FILE' },
]

/* oxlint-enable no-control-regex */

/**
 * How to load on standard input, which is CSV unless told otherwise, what `path` holds by its inner suffix.
 */
function loadInput(path: string): string {
  const suffix = /\.(json|ndjson|jsonl|tsv)(\.[^./\\]+)?$/i.exec(path)?.[1]?.toLowerCase()
  return `lading load -${suffix === undefined ? '' : ` --format ${suffix === 'jsonl' ? 'ndjson' : suffix}`}`
}

/**
 * The compression of the file that begins with `start`. Throws for a format that is not read, and for a file
 * that its name calls compressed and that is not.
 */
export function compressionOf(path: string, start: Uint8Array): Compression | undefined {
  const text = Buffer.from(start.subarray(0, signatureBytes)).toString('latin1')
  const found = read.find(({ signature }) => signature.test(text))
  if (found !== undefined) return found.compression
  const other = notRead.find(({ signature }) => signature.test(text))
  if (other !== undefined) {
    const how = `${other.unpack} | ${loadInput(path)}`
    throw new LadingError('SOURCE_COMPRESSED', `${path} is ${other.name}, which is not read: ${how}`)
  }
  const named = /\.(gz|zst)$/i.exec(path)?.[1]?.toLowerCase()
  if (named === undefined) return undefined
  const what = named === 'gz' ? 'gzip' : 'zstd'
  const why =
    start.length === 0
      ? 'the file is empty'
      : `it does not begin as ${what} does; a file that is not compressed has no such name`
  throw new LadingError('SOURCE_CORRUPT', `${path}: ${why}`)
}
