/**
 * What every sink promises, as tests: an adapter's own test file is one call of `sinkContract`, or of
 * `sqlSinkContract` where the database speaks SQL, with an empty database; what is particular to the adapter
 * follows. Names are guarantees.
 */
import { describe } from 'vitest'
import { atomicity } from './atomic.ts'
import { conflicts } from './conflict.ts'
import { deadLetters } from './dead.ts'
import { isolation } from './isolation.ts'
import { names } from './names.ts'
import { effects } from './once.ts'
import { parts } from './parts.ts'
import { preparing } from './prepare.ts'
import { pruning } from './prune.ts'
import { receipts } from './receipts.ts'
import { replacing, replacingTables } from './replace.ts'
import { mending } from './rejects.ts'
import { besides, type OpenSqlTarget } from './sql.ts'
import type { OpenTarget } from './target.ts'
import { tables } from './tables.ts'
import { types } from './types.ts'

export function sinkContract(name: string, open: OpenTarget): void {
  describe(`${name}: sink contract`, { timeout: 60_000 }, () => {
    describe('takes effect once', () => effects(open))
    describe('together or not at all', () => atomicity(open))
    describe('conflicts', () => conflicts(open))
    describe('types', () => types(open))
    describe('tables that exist', () => tables(open))
    describe('rejects and dead letters', () => deadLetters(open))
    describe('rejects that are mended', () => mending(open))
    describe('receipts', () => receipts(open))
    describe('files that grow', () => parts(open))
    describe('what is old', () => pruning(open))
    describe('rows that are replaced', () => replacing(open))
  })
}

export function sqlSinkContract(name: string, open: OpenSqlTarget): void {
  sinkContract(name, open)
  describe(`${name}: SQL sink contract`, { timeout: 60_000 }, () => {
    describe('prepare', () => preparing(open))
    describe('names', () => names(open))
    describe('isolation of bad records', () => isolation(open))
    describe('tables whose rows are replaced', () => replacingTables(open))
    describe('besides', () => besides(open))
  })
}
