/**
 * Messages whose key tells what the rest must be, so that any process can check what another one published.
 */
import { Buffer } from 'node:buffer'
import { expect } from 'vitest'
import type { Peeked } from 'lading'
import { messageOf } from './messages.ts'

export const keysOf = (messages: readonly { readonly key: string }[]): string[] =>
  messages.map(({ key }) => key)

export const sorted = (keys: readonly string[]): string[] => [...keys].sort()

/** That a message made by `messageOf` is whole. */
export function expectWhole({ key, body, headers }: Pick<Peeked, 'key' | 'body' | 'headers'>): void {
  const [name = '', n = ''] = key.split('/')
  const original = messageOf(name, Number(n))
  expect(headers).toEqual(original.headers)
  expect(Buffer.compare(body, original.body), `body of ${key}`).toBe(0)
}
