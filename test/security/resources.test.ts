/** A few bytes that unpack to very many cost neither memory nor time. */
import { expect, it } from 'vitest'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { maxRecordBytes } from '../../src/core/load.ts'
import { expectError, Folder, header } from '../cli/run.ts'

it.each([
  ['gz', gzipSync],
  ['zst', zstdCompressSync],
])(
  'a record that never ends is refused where it is larger than a record may be: %s',
  async (suffix, compress) => {
    const packed = compress(Buffer.concat([Buffer.from(`${header}a`), Buffer.alloc(4 * maxRecordBytes, 'a')]))
    expect(packed.length).toBeLessThan(maxRecordBytes / 128)
    await using folder = await Folder.make({ [`a.csv.${suffix}`]: packed })
    const run = await folder.lading('load', `a.csv.${suffix}`, '--model', 'records')
    expectError(run, 'RECORD_TOO_LARGE', 65, 'a.csv', '16 MiB')
  },
)
