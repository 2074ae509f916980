/** The file of the producer's state: its tables, and its errors as ours. */
import { LadingError } from '../core/errors.ts'
import { SqliteFile, type SqliteValues, sqliteCode, sqliteTrouble } from '../core/sqlite.ts'

/** Marks the file as a producer's state ("LdgP"), so that no other database is taken for one. */
const applicationId = 0x4c646750

const schema = [
  `PRAGMA application_id = ${applicationId};
   CREATE TABLE load (
     no INTEGER PRIMARY KEY,
     -- NULL while the plan is being made.
     id TEXT,
     -- The id of the queue, which belongs to it and not to its place; a line below it, the target that chunks are published for.
     queue TEXT NOT NULL,
     pipeline TEXT NOT NULL,
     path TEXT NOT NULL,
     name TEXT NOT NULL,
     -- Place of the database that the load is for, or in which it has arrived.
     target TEXT,
     state TEXT,
     fields TEXT,
     model TEXT,
     sha256 TEXT,
     bytes INTEGER,
     plan TEXT,
     chunks INTEGER,
     records INTEGER,
     delimiter TEXT,
     quote TEXT,
     -- Seconds since 1970.
     begun_at INTEGER NOT NULL DEFAULT (unixepoch()),
     published_at TEXT,
     UNIQUE (id, queue)
   ) STRICT;
   -- Salts of commands with --again that have not ended.
   CREATE TABLE again (queue TEXT NOT NULL, pipeline TEXT NOT NULL, salt TEXT NOT NULL, PRIMARY KEY (queue, pipeline)) STRICT, WITHOUT ROWID;
   CREATE TABLE chunk (
     load INTEGER NOT NULL REFERENCES load ON DELETE CASCADE,
     chunk INTEGER NOT NULL,
     byte_start INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     first_record INTEGER NOT NULL,
     first_line INTEGER NOT NULL,
     records INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     confirmed INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (load, chunk)
   ) STRICT, WITHOUT ROWID`,
  `-- Loads begun from scratch by commands that have not ended.
   CREATE TABLE fresh (queue TEXT NOT NULL, load TEXT NOT NULL, PRIMARY KEY (queue, load)) STRICT, WITHOUT ROWID;
   -- Version 0.1.0 kept URLs of servers, and wrote no target below a queue. The salt of a command that was interrupted is that of the newest load's target.
   UPDATE load SET target = place_of(target) WHERE target LIKE 'postgres%://%';
   UPDATE again SET queue = queue || char(10) || newest.target
     FROM (SELECT queue AS of, pipeline AS by, target, max(no) FROM load GROUP BY queue, pipeline) AS newest
     WHERE queue = newest.of AND pipeline = newest.by AND newest.target IS NOT NULL`,
  `-- What a format needs to read a record, as JSON. Version 0.1.0 knew CSV alone.
   ALTER TABLE load ADD COLUMN layout TEXT;
   UPDATE load SET layout = json_object('fields', json(fields), 'delimiter', delimiter, 'quote', quote) WHERE fields IS NOT NULL;
   ALTER TABLE load DROP COLUMN fields;
   ALTER TABLE load DROP COLUMN delimiter;
   ALTER TABLE load DROP COLUMN quote`,
  `-- How the source is written, as JSON, for publishing it again.
   ALTER TABLE load ADD COLUMN reading TEXT`,
  `-- What the plan follows from, told without reading the source: see clues.ts.
   ALTER TABLE load ADD COLUMN clue TEXT;
   CREATE INDEX load_clue ON load (clue) WHERE clue IS NOT NULL`,
]

export class StateFile implements Disposable {
  readonly #path: string
  readonly #file: SqliteFile

  constructor(path: string) {
    this.#path = path
    this.#file = this.#guard(() => new SqliteFile(path, { synchronous: 'NORMAL', isPrivate: true }))
    try {
      this.#guard(() => this.#makeTables())
    } catch (error) {
      this.#file[Symbol.dispose]()
      throw error
    }
  }

  #makeTables(): void {
    const empty = this.#file.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined
    const id = this.#file.get<{ application_id: number }>('PRAGMA application_id')?.application_id
    if (!empty && id !== applicationId)
      throw new LadingError('STATE_INVALID', `${this.#path} is a database, but not a producer's state`)
    this.#file.database.function('place_of', { deterministic: true }, (url) => placeOf(String(url)))
    if (!this.#file.migrate(schema))
      throw new LadingError('STATE_INVALID', `${this.#path} was made by a newer version of lading`)
  }

  run(sql: string, ...values: SqliteValues): void {
    this.#guard(() => this.#file.run(sql, ...values))
  }

  all<Row>(sql: string, ...values: SqliteValues): Row[] {
    return this.#guard(() => this.#file.all<Row>(sql, ...values))
  }

  get<Row>(sql: string, ...values: SqliteValues): Row | undefined {
    return this.#guard(() => this.#file.get<Row>(sql, ...values))
  }

  transaction<T>(work: () => T): T {
    return this.#guard(() => this.#file.transaction(work))
  }

  #guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw stateError(error, this.#path)
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }
}

/**
 * The place that a URL of version 0.1.0 names, as the sink has it today; the URL where only the environment
 * tells.
 */
function placeOf(url: string): string {
  const { hostname, port, pathname } = URL.parse(url) ?? {}
  if (!hostname || !pathname || pathname === '/') return url
  const shownPort = port === '' || port === '5432' ? '' : `:${port}`
  return `postgresql://${hostname.toLowerCase()}${shownPort}${pathname}`
}

function stateError(error: unknown, path: string): unknown {
  const trouble = sqliteTrouble(error)
  if (trouble === undefined && sqliteCode(error) === undefined) return error
  // What is no trouble of the file or its disk is a statement that does not fit it: its tables were changed.
  const code = trouble === undefined || trouble === 'damaged' ? 'STATE_INVALID' : 'OUTPUT_UNWRITABLE'
  return new LadingError(code, `the producer's state ${path}: ${(error as Error).message}`, { cause: error })
}
