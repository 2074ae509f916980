/**
 * What every sink promises, as tests: an adapter's own test file is one call of `sinkContract` with an empty
 * database, and what is particular to the adapter. Names are guarantees.
 */
import { describe } from 'vitest'
import { atomicity } from '../sink/contract/atomic.ts'
import { conflicts } from '../sink/contract/conflict.ts'
import { deadLetters } from '../sink/contract/dead.ts'
import { isolation } from '../sink/contract/isolation.ts'
import { effects } from '../sink/contract/once.ts'
import { preparing } from '../sink/contract/prepare.ts'
import { receipts } from '../sink/contract/receipts.ts'
import { mending } from '../sink/contract/rejects.ts'
import type { OpenTarget } from '../sink/contract/target.ts'
import { types } from '../sink/contract/types.ts'

export function sinkContract(name: string, open: OpenTarget): void {
  describe(`${name}: sink contract`, () => {
    describe('prepare', () => preparing(open))
    describe('takes effect once', () => effects(open))
    describe('together or not at all', () => atomicity(open))
    describe('isolation of bad records', () => isolation(open))
    describe('conflicts', () => conflicts(open))
    describe('types', () => types(open))
    describe('rejects and dead letters', () => deadLetters(open))
    describe('rejects that are mended', () => mending(open))
    describe('receipts', () => receipts(open))
  })
}
