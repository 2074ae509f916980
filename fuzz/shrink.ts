/** The shortest input that fails in the same way, as far as trying finds it. */

const mostTries = 4_000

export async function shrunk(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input
  let tries = 0
  const isBetter = async (bytes: Buffer): Promise<boolean> => {
    if (++tries > mostTries || !(await fails(bytes))) return false
    best = bytes
    return true
  }
  for (let before: Buffer | undefined; before !== best && tries < mostTries;) {
    before = best
    for (let size = 2 ** Math.floor(Math.log2(Math.max(1, best.length))); size >= 1; size /= 2)
      for (let at = best.length - size; at >= 0; at -= size)
        await isBetter(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]))
    for (let at = 0; at < best.length; at++)
      for (const simple of [0, 0x61])
        if (best[at] !== simple && best[at] !== 0 && (await isBetter(withByte(best, at, simple)))) break
  }
  return best
}

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  const other = Buffer.from(bytes)
  other[at] = byte
  return other
}
