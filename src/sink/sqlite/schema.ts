import { LadingError } from '../../core/errors.ts'
import { shownTable, type WantedTable } from '../../model/table.ts'
import { madeTables } from './made.ts'

/**
 * The ledger's tables, in the same file as the target; steps are only ever appended. Hashes are BLOBs, times
 * ISO 8601.
 */
const now = "(strftime('%Y-%m-%dT%H:%M:%fZ'))"

export const migrations = [
  `CREATE TABLE lading_load (
     id TEXT PRIMARY KEY,
     pipeline TEXT NOT NULL,
     source TEXT NOT NULL,
     sha256 BLOB NOT NULL,
     bytes INTEGER NOT NULL,
     plan BLOB NOT NULL,
     chunks INTEGER NOT NULL,
     records INTEGER NOT NULL,
     complete INTEGER NOT NULL DEFAULT 0,
     loaded INTEGER,
     rejected INTEGER,
     skipped INTEGER,
     started_at TEXT NOT NULL DEFAULT ${now},
     completed_at TEXT,
     CHECK (NOT complete OR records = loaded + rejected + skipped)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE lading_ledger (
     pipeline TEXT NOT NULL,
     key TEXT NOT NULL,
     sha256 BLOB NOT NULL,
     load_id TEXT REFERENCES lading_load,
     outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'dead')),
     records INTEGER NOT NULL,
     loaded INTEGER NOT NULL,
     rejected INTEGER NOT NULL,
     skipped INTEGER NOT NULL,
     committed_at TEXT NOT NULL DEFAULT ${now},
     PRIMARY KEY (pipeline, key),
     CHECK (outcome = 'dead' OR records = loaded + rejected + skipped)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX lading_ledger_load ON lading_ledger (load_id) WHERE load_id IS NOT NULL;
   CREATE TABLE lading_reject (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     pipeline TEXT NOT NULL,
     key TEXT NOT NULL,
     load_id TEXT REFERENCES lading_load,
     record INTEGER NOT NULL,
     line INTEGER NOT NULL,
     byte INTEGER NOT NULL,
     source TEXT NOT NULL,
     column_name TEXT,
     code TEXT NOT NULL,
     detail TEXT NOT NULL,
     raw BLOB NOT NULL,
     at TEXT NOT NULL DEFAULT ${now}
   ) STRICT;
   CREATE INDEX lading_reject_load ON lading_reject (load_id);
   CREATE TABLE lading_dead_letter (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     pipeline TEXT NOT NULL,
     key TEXT NOT NULL,
     sha256 BLOB NOT NULL,
     load_id TEXT REFERENCES lading_load,
     records INTEGER NOT NULL,
     headers TEXT NOT NULL,
     body BLOB NOT NULL,
     attempts INTEGER NOT NULL,
     code TEXT NOT NULL,
     detail TEXT NOT NULL,
     state TEXT NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed')),
     at TEXT NOT NULL DEFAULT ${now},
     UNIQUE (pipeline, key, sha256)
   ) STRICT`,
  `-- JSON: how the records of a load are written, once it has rejects.
   ALTER TABLE lading_load ADD COLUMN layout TEXT;
   ALTER TABLE lading_reject ADD COLUMN span_start INTEGER;
   ALTER TABLE lading_reject ADD COLUMN span_end INTEGER;
   -- JSON: fields whose values in raw are masks.
   ALTER TABLE lading_reject ADD COLUMN masked TEXT;
   ALTER TABLE lading_reject ADD COLUMN edited BLOB;
   ALTER TABLE lading_reject ADD COLUMN state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded'));
   -- No state of its own, because whoever counts the dead goes on counting it.
   ALTER TABLE lading_dead_letter ADD COLUMN discarded_at TEXT`,
  madeTables,
  `-- Release of the time-zone data by which the load's local times were read first, where its model has zones.
   ALTER TABLE lading_load ADD COLUMN zone_release TEXT`,
  `-- Of the skipped records, those that are left out on purpose; an older version counts them as skipped.
   ALTER TABLE lading_load ADD COLUMN filtered INTEGER;
   ALTER TABLE lading_ledger ADD COLUMN filtered INTEGER`,
  `-- Of a file that grows: the load behind whose part this one begins. Only one load follows another.
   ALTER TABLE lading_load ADD COLUMN follows TEXT;
   CREATE UNIQUE INDEX lading_load_follows ON lading_load (follows) WHERE follows IS NOT NULL`,
  `-- Of a load that replaced the rows of its table: when, and how many rows it adds to the sum of that replacement: all for the first load,
   -- none for the others, and what was replayed since.
   ALTER TABLE lading_load ADD COLUMN replaced_at TEXT;
   ALTER TABLE lading_load ADD COLUMN replaced_rows INTEGER`,
  `-- What a receipt, a page of history, a file and a page of rejects ask for; none of them may read a whole table.
   CREATE INDEX lading_dead_letter_load ON lading_dead_letter (load_id) WHERE load_id IS NOT NULL;
   CREATE INDEX lading_load_history ON lading_load (started_at DESC, id);
   CREATE INDEX lading_load_source ON lading_load (pipeline, source);
   CREATE INDEX lading_reject_open ON lading_reject (id) WHERE state = 'open'`,
  `-- When a person gave the load up: what of it had no verdict is skipped, on purpose.
   ALTER TABLE lading_load ADD COLUMN abandoned_at TEXT`,
]

const ownTables = new Set(
  migrations
    .join()
    .match(/(?<=CREATE TABLE )lading_\w+/g)
    ?.concat('lading_migration') ?? [],
)

/** Throws `SCHEMA_MISMATCH` for a schema that a person names, and that no SQLite file has. */
export function requireMain(name: WantedTable): void {
  const { schema, table, ofModel = false } = name
  if (ofModel || schema === undefined || schema.toLowerCase() === 'main') return
  throw new LadingError(
    'SCHEMA_MISMATCH',
    `table ${shownTable(name)}: a SQLite file has no schema ${schema}, only main (--table ${table}, or in quotes if the name has a point: --table '"${shownTable(name)}"')`,
  )
}

/** Whose table it is that has the name, where no load may write to it. */
export function ownerOf(table: string): string | undefined {
  const name = table.toLowerCase()
  if (name.startsWith('sqlite_')) return 'SQLite itself'
  return ownTables.has(name) ? 'the ledger' : undefined
}
