/**
 * A value in JavaScript without lost digits: times and numerics are text, 64-bit integers are bigint. Bytes
 * are text too (`\x48656c6c6f`), and so are arrays (`{1,2}`).
 */
export type Value = string | number | bigint | boolean | null
