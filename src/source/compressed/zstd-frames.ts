/** Where the frames of a zstd file end (RFC 8878), by their lengths alone. */

const zstdMagic = 0xfd2fb528
/** Of a frame that holds no data of the file; its last four bits are free. */
const skippableMagic = 0x184d2a50

/** Bytes of a frame's header behind its first byte, which says what is in it. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number
  const size = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  return (isSingle ? 0 : 1) + dictionary + size
}

type Part = 'magic' | 'length' | 'descriptor' | 'block'

/** Follows a file piece by piece, from its beginning. */
export class ZstdFrames {
  #part: Part = 'magic'
  /** Bytes of the part so far, its least significant first, and their number. */
  #value = 0
  #bytes = 0
  /** Bytes to pass over before the next part. */
  #skip = 0
  #hasChecksum = false
  #isLast = false

  /** Whether the file may end here. */
  get isBetween(): boolean {
    return this.#part === 'magic' && this.#bytes === 0 && this.#skip === 0
  }

  /**
   * The index behind the frame that ends first in the piece, from `at` on, or its length where none does;
   * undefined where no frame begins.
   */
  end(piece: Uint8Array, at: number): number | undefined {
    while (at < piece.length) {
      const passed = Math.min(this.#skip, piece.length - at)
      this.#skip -= passed
      at += passed
      if (this.#skip === 0 && this.#isLast) {
        this.#isLast = false
        return at
      }
      if (at === piece.length) break
      if (passed > 0) continue
      this.#value += (piece[at++] as number) * 2 ** (8 * this.#bytes++)
      if (this.#bytes === lengths[this.#part] && !this.#endPart()) return undefined
      // A frame may end with its header: an empty skippable one does.
      if (this.#skip === 0 && this.#isLast) {
        this.#isLast = false
        return at
      }
    }
    return at
  }

  /** False where no frame begins. */
  #endPart(): boolean {
    const value = this.#value
    const part = this.#part
    this.#value = 0
    this.#bytes = 0
    if (part === 'magic') {
      if (value === zstdMagic) this.#part = 'descriptor'
      else if (value - (value % 16) === skippableMagic) this.#part = 'length'
      else return false
    } else if (part === 'length') this.#finish(value)
    else if (part === 'descriptor') {
      this.#hasChecksum = (value & 4) !== 0
      this.#skip = headerBytes(value)
      this.#part = 'block'
    } else {
      // A run is one byte, however often it stands in the data.
      const isRun = ((value >> 1) & 3) === 1
      const bytes = isRun ? 1 : value >> 3
      if ((value & 1) === 1) this.#finish(bytes + (this.#hasChecksum ? 4 : 0))
      else this.#skip = bytes
    }
    return true
  }

  #finish(skip: number): void {
    this.#skip = skip
    this.#isLast = true
    this.#part = 'magic'
  }
}

const lengths: Readonly<Record<Part, number>> = { magic: 4, length: 4, descriptor: 1, block: 3 }
