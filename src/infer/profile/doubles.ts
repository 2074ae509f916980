/** Whether a decimal number comes back from a double: whether the shortest text of the nearest one equals it. */

const ZERO = 48

/** Powers of ten that are exact in a double, and their halves of 26 bits (Veltkamp). */
const powers = Float64Array.from({ length: 23 }, (_, power) => 10 ** power)
const splitter = 2 ** 27 + 1
const heads = powers.map((power) => power * splitter - (power * splitter - power))

/** The distance of doubles by their exponent, as a double has it; 0 near to zero. */
const places = Float64Array.from({ length: 2048 }, (_, exponent) =>
  exponent < 54 ? 0 : 2 ** (exponent - 1075),
)

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)

/** Larger than the rounding errors below, in units of the last digit. */
const doubt = 1e-6

/**
 * For a number without its sign, with `scale` digits behind the point and `significant` ones, at least 16, of
 * which the first nine are `high` and the next up to nine `low`. Decided by arithmetic where that can tell,
 * because the text of a double costs several times as much.
 */
export function comesFromDouble(
  bytes: Buffer,
  first: number,
  end: number,
  scale: number,
  high: number,
  low: number,
  significant: number,
): boolean {
  const last = (bytes[end - 1] as number) - ZERO
  const isSure =
    significant <= 17 &&
    scale <= 22 &&
    last !== 0 &&
    isShortest(high * (powers[significant - 9] as number), low, scale, last)
  return isSure || hasShortestText(bytes.toString('latin1', first, end))
}

/**
 * Whether `(head + low) / 10^scale`, a number of 16 or 17 digits that ends with the digit `last`, is surely the
 * shortest text of the nearest double. `head` and `low` are exact.
 */
export function isShortest(head: number, low: number, scale: number, last: number): boolean {
  const power = powers[scale] as number
  const number = head + low
  const near = number / power
  // `near * power` as the exact sum of two doubles (Dekker 1971), and how much the number is greater.
  const nearHead = near * splitter - (near * splitter - near)
  const nearTail = near - nearHead
  const powerHead = heads[scale] as number
  const powerTail = power - powerHead
  const product = near * power
  const lost =
    nearHead * powerHead - product + nearHead * powerTail + nearTail * powerHead + nearTail * powerTail
  let left = number - product - lost + (low - (number - head))
  double[0] = near
  const place = places[((words[1] as number) >>> 20) & 0x7ff] as number
  // Below a power of two the doubles lie closer than above it; near to zero, they lie far apart.
  if (place === 0 || isEdge(words[0] as number, words[1] as number)) return false
  const half = (place / 2) * power
  // The quotient of rounded digits may be off by one place.
  if (Math.abs(left) > half) {
    double[0] = left > 0 ? near + place : near - place
    left -= left > 0 ? 2 * half : -2 * half
    if (isEdge(words[0] as number, words[1] as number)) return false
  }
  if (Math.abs(left) > half - doubt) return false
  // Nothing that is as long is nearer, and nothing shorter is read as the same double.
  const nearest = 0.5 - Math.abs(left)
  const margin = Math.min(last - left, 10 - last + left) - half
  return nearest > doubt && margin > doubt
}

/** A power of two, of the words of a double. */
const isEdge = (low: number, high: number): boolean => low === 0 && (high & 0xfffff) === 0

/** Decides by the text itself. */
function hasShortestText(source: string): boolean {
  return scientific(String(Number(source))).key === scientific(source).key
}

/** The digits of a number without the zeros around them, and the power of ten of the first one. */
export function scientific(source: string): { readonly key: string; readonly power: number } {
  const [, sign, whole = '', fraction = '', shift = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(source) ?? []
  const all = whole + fraction
  const digits = all.replace(/^0+/, '')
  if (digits === '') return { key: '0', power: 0 }
  const power = whole.length - 1 - (all.length - digits.length) + Number(shift)
  return { key: `${sign}${digits.replace(/(?<!0)0+$/, '')}e${power}`, power }
}
