import { Buffer } from 'node:buffer'
import type { Outgoing } from 'lading'

/** The `n`th message of `name`: key, body and headers follow from the two, and bodies have many lengths. */
export function messageOf(name: string, n: number): Outgoing {
  const key = `${name}/${n}`
  return { key, body: Buffer.alloc(20 + ((n * 37) % 400), key), headers: { name, n: String(n) } }
}

/** `count` messages of `name`, from number `first` on. */
export function messagesOf(name: string, first: number, count: number): Outgoing[] {
  return Array.from({ length: count }, (_, i) => messageOf(name, first + i))
}
