import { existsSync } from 'node:fs'
import { LadingError } from '../../core/errors.ts'
import type { Model } from '../../model/model.ts'
import type { TableFacts, TableName } from '../../model/table.ts'
import type { Ledger } from '../ledger.ts'
import type { Batch, Prepared, PrepareOptions, ReplayBatch, Replacement, Sink, Verdict } from '../sink.ts'
import { SqlLedger } from '../sql/ledger.ts'
import { requireOwn } from '../table.ts'
import { catalogOf } from './catalog.ts'
import { factsOf } from './facts.ts'
import { DuckdbFile, inMemory, realPathOf } from './file.ts'
import { problemsOf } from './fit.ts'
import { duckdbLedger } from './ledger.ts'
import { isEmpty } from './made.ts'
import { prepareLedger, prepareTable } from './prepare.ts'
import { replacing } from './replace.ts'
import { replayRejects } from './replay.ts'
import { ColumnRows } from './rows.ts'
import { ownerOf } from './schema.ts'
import type { Session } from './session.ts'
import { type Past, replayLetter, writeBatch } from './write.ts'

export interface DuckdbSinkOptions {
  /** The file is only read: for whoever only asks. */
  readonly isGuest?: boolean
}

/** A DuckDB file that holds the target table and the ledger; `:memory:` for tests. One process at a time has it open. */
export class DuckdbSink implements Sink<ColumnRows> {
  readonly ledger: Ledger
  readonly place: string
  readonly #path: string
  readonly #past: Past = { conflicting: new Map() }
  #file: DuckdbFile | undefined

  readonly #isGuest: boolean

  constructor(path: string, { isGuest = false }: DuckdbSinkOptions = {}) {
    this.#path = path
    this.#isGuest = isGuest
    this.place = `duckdb:${path === inMemory ? path : realPathOf(path)}`
    this.ledger = new SqlLedger(
      duckdbLedger(
        (work) => this.#use(work),
        () => this.#exists,
      ),
    )
  }

  async prepare(model?: Model, { deferIndexes }: PrepareOptions = {}): Promise<Prepared> {
    const table = await this.#use(async (session) => {
      await prepareLedger(session)
      return model === undefined ? {} : await prepareTable(session, model)
    })
    return {
      ...table,
      deferred: false,
      reason: deferIndexes && 'a load into DuckDB maintains the indexes for each row',
    }
  }

  async table(name: TableName): Promise<TableFacts | undefined> {
    requireOwn(name, ownerOf(name.table))
    return this.#exists ? await this.#use((session) => factsOf(session, name)) : undefined
  }

  misfits(model: Model): Promise<readonly string[]> {
    return this.#use(async (session) => [...problemsOf(model, await catalogOf(session, model))])
  }

  /** Opening the file would make it. */
  get #exists(): boolean {
    return this.#path === inMemory || this.#file !== undefined || existsSync(this.#path)
  }

  rows(model: Model): ColumnRows {
    return new ColumnRows(model)
  }

  isEmpty(model: Model): Promise<boolean> {
    return this.#use((session) => isEmpty(session, model))
  }

  replacing(model: Model, pipeline: string): Promise<Replacement> {
    return replacing(this.#opened, model, pipeline)
  }

  write(batch: Batch<ColumnRows>): Promise<readonly Verdict[]> {
    return this.#use((session) => writeBatch(session, batch, this.#past))
  }

  replayLetter(letter: number, batch: Batch<ColumnRows>): Promise<readonly Verdict[]> {
    return this.#use((session) => replayLetter(session, letter, batch, this.#past))
  }

  replayRejects(batch: ReplayBatch<ColumnRows>): Promise<readonly Verdict[]> {
    return this.#use((session) => replayRejects(session, batch))
  }

  get #opened(): DuckdbFile {
    return (this.#file ??= DuckdbFile.at(this.#path, this.#isGuest))
  }

  #use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#opened.use(work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.release()
  }
}

/** Of a URL. */
export function pathOf(url: string): string {
  const path = url.slice(url.indexOf(':') + 1)
  if (path === '') throw new LadingError('USAGE', 'the database URL names no file: duckdb:PATH')
  return path.toLowerCase() === inMemory ? inMemory : path
}

export const openDuckdb = (url: string): DuckdbSink => new DuckdbSink(pathOf(url))
