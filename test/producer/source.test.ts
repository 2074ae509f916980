import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unpacked } from '../../src/producer/decompress.ts'
import { readSource } from '../../src/producer/source.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-source-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function read(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  const pieces: Buffer[] = []
  for await (const piece of readSource(path)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

/** Reads an archive that comes from the disk in pieces of `size` bytes. */
async function readInPieces(compression: 'gzip' | 'zstd', content: Buffer, size: number): Promise<string> {
  async function* file(): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
  }
  let all = ''
  for await (const piece of unpacked(compression, file(), 1 << 16)) all += piece.toString()
  return all
}

const corrupt = expect.objectContaining({ code: 'SOURCE_CORRUPT' })
const [one, two, three] = ['first\n', 'second\n'.repeat(50), 'third\n'] as const
const zeros = Buffer.alloc(700)

function damaged(member: Buffer, at: number): Buffer {
  const copy = Buffer.from(member)
  copy[at] = (copy[at] as number) ^ 0xff
  return copy
}

const firstByteZero = (member: Buffer) => Buffer.concat([Buffer.alloc(1), member.subarray(1)])

describe.each([
  ['gzip', 'file.csv.gz', gzipSync],
  ['zstd', 'file.csv.zst', zstdCompressSync],
] as const)('%s', (compression, name, pack) => {
  const members = [one, two, three].map((text) => pack(text))
  const joined = Buffer.concat(members)

  it('members that were joined are read to the last one', async () => {
    expect(await read(name, joined)).toBe(one + two + three)
    expect(await read(name, Buffer.concat([pack(''), joined, pack('')]))).toBe(one + two + three)
  })

  it('members may end wherever a piece of the file ends', async () => {
    for (let size = 1; size <= joined.length; size++)
      expect(await readInPieces(compression, joined, size), `${size}`).toBe(one + two + three)
  })

  it('a damaged member is refused, the first one or a later one, wherever the damage is', async () => {
    for (const text of [one, two]) {
      const member = pack(text)
      // Without its checksum, a zstd frame does not tell every damage to its data.
      const places = compression === 'gzip' ? [0, 1, member.length - 9, member.length - 8, member.length - 1] : [0, 1, 2, 3]
      for (const at of places) {
        await expect(read(name, Buffer.concat([members[0] as Buffer, damaged(member, at), members[2] as Buffer])), `${at}`).rejects.toEqual(
          corrupt,
        )
      }
      await expect(read(name, Buffer.concat([members[0] as Buffer, firstByteZero(member)]))).rejects.toEqual(corrupt)
    }
  })

  it('an archive that is cut short is refused, wherever it is cut', async () => {
    const ends = [members[0]?.length, joined.length - (members[2]?.length as number)]
    for (let size = 0; size < joined.length; size++) {
      if (!ends.includes(size)) await expect(read(name, joined.subarray(0, size)), `${size}`).rejects.toEqual(corrupt)
    }
  })

  it('rubbish after the last member is refused', async () => {
    for (const rubbish of ['x', 'rubbish that is longer than any header', '\0x', `${'\0'.repeat(600)}x`]) {
      await expect(read(name, Buffer.concat([joined, Buffer.from(rubbish)])), rubbish).rejects.toEqual(corrupt)
    }
  })
})

describe('zeros after the members of a gzip file', () => {
  const joined = Buffer.concat([gzipSync(one), gzipSync(two)])

  it('are padding to its end, as tapes and block devices leave it', async () => {
    expect(await read('file.csv.gz', Buffer.concat([joined, zeros]))).toBe(one + two)
    const padded = Buffer.concat([joined, Buffer.alloc(40)])
    for (let size = 1; size <= padded.length; size++) expect(await readInPieces('gzip', padded, size), `${size}`).toBe(one + two)
  })

  it('are a hole where another member follows, and refused: what was lost in it nobody knows', async () => {
    const holed = Buffer.concat([joined, zeros, gzipSync(three)])
    await expect(read('file.csv.gz', holed)).rejects.toEqual(corrupt)
    for (const size of [1, 7, 64, joined.length, joined.length + 1]) {
      await expect(readInPieces('gzip', holed, size), `${size}`).rejects.toMatchObject({ code: 'Z_DATA_ERROR' })
    }
  })

  it('alone are no archive', async () => {
    await expect(read('file.csv.gz', zeros)).rejects.toEqual(corrupt)
  })
})
