import { createHash } from 'node:crypto'

/**
 * The identity of a load: pipeline, name and content, and with `--again` a salt. The same file is the same
 * load wherever and whenever it is read, and two equal daily files under different names are two loads. A
 * UUID of version 8 (RFC 9562).
 */
export function loadIdOf(pipeline: string, name: string, sha256: string, salt = ''): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([pipeline, name, sha256, salt]))
    .digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
