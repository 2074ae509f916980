import { madeTables } from './made.ts'

/**
 * The ledger's tables, in the same file as the target; steps are only ever appended. None may alter a table without a CHECKPOINT behind it
 * (findings/duckdb-altered-table-stops-the-log.sh). Hashes are BLOBs, times
 * ISO 8601. There is no CREATE INDEX: DuckDB may lose entries of such an index (`DuckdbFile`), and the ledger would not find
 * what has taken effect. DuckDB looks nothing up by a key of two columns, so each batch scans the keys.
 */
export const now = "strftime(now() AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"

export const migrations = [
  `CREATE TABLE lading_load (
     id VARCHAR PRIMARY KEY,
     pipeline VARCHAR NOT NULL,
     source VARCHAR NOT NULL,
     sha256 BLOB NOT NULL,
     bytes BIGINT NOT NULL,
     plan BLOB NOT NULL,
     chunks BIGINT NOT NULL,
     records BIGINT NOT NULL,
     complete BOOLEAN NOT NULL DEFAULT false,
     loaded BIGINT,
     rejected BIGINT,
     skipped BIGINT,
     filtered BIGINT,
     started_at VARCHAR NOT NULL DEFAULT ${now},
     completed_at VARCHAR,
     -- JSON: how the records of a load are written, once it has rejects.
     layout VARCHAR,
     -- Release of the time-zone data by which the load's local times were read first, where its model has zones.
     zone_release VARCHAR,
     -- Of a file that grows: the load behind whose part this one begins. Only one load follows another.
     follows VARCHAR UNIQUE,
     -- Of a load that replaced the rows of its table: when, and how many rows it adds to the sum of that replacement.
     replaced_at VARCHAR,
     replaced_rows BIGINT,
     -- When a person gave the load up: what of it had no verdict is skipped, on purpose.
     abandoned_at VARCHAR,
     CHECK (NOT complete OR records = loaded + rejected + skipped)
   );
   CREATE TABLE lading_ledger (
     pipeline VARCHAR NOT NULL,
     key VARCHAR NOT NULL,
     sha256 BLOB NOT NULL,
     load_id VARCHAR,
     outcome VARCHAR NOT NULL CHECK (outcome IN ('applied', 'dead')),
     records BIGINT NOT NULL,
     loaded BIGINT NOT NULL,
     rejected BIGINT NOT NULL,
     skipped BIGINT NOT NULL,
     filtered BIGINT,
     committed_at VARCHAR NOT NULL DEFAULT ${now},
     PRIMARY KEY (pipeline, key),
     CHECK (outcome = 'dead' OR records = loaded + rejected + skipped)
   );
   CREATE SEQUENCE lading_reject_id;
   CREATE TABLE lading_reject (
     id BIGINT PRIMARY KEY DEFAULT nextval('lading_reject_id'),
     pipeline VARCHAR NOT NULL,
     key VARCHAR NOT NULL,
     load_id VARCHAR,
     record BIGINT NOT NULL,
     line BIGINT NOT NULL,
     byte BIGINT NOT NULL,
     source VARCHAR NOT NULL,
     column_name VARCHAR,
     code VARCHAR NOT NULL,
     detail VARCHAR NOT NULL,
     raw BLOB NOT NULL,
     -- JSON: fields whose values in raw are masks.
     masked VARCHAR,
     span_start BIGINT,
     span_end BIGINT,
     edited BLOB,
     state VARCHAR NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
     "at" VARCHAR NOT NULL DEFAULT ${now}
   );
   CREATE SEQUENCE lading_dead_letter_id;
   CREATE TABLE lading_dead_letter (
     id BIGINT PRIMARY KEY DEFAULT nextval('lading_dead_letter_id'),
     pipeline VARCHAR NOT NULL,
     key VARCHAR NOT NULL,
     sha256 BLOB NOT NULL,
     load_id VARCHAR,
     records BIGINT NOT NULL,
     headers VARCHAR NOT NULL,
     body BLOB NOT NULL,
     attempts BIGINT NOT NULL,
     code VARCHAR NOT NULL,
     detail VARCHAR NOT NULL,
     state VARCHAR NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed')),
     "at" VARCHAR NOT NULL DEFAULT ${now},
     -- No state of its own, because whoever counts the dead goes on counting it.
     discarded_at VARCHAR,
     UNIQUE (pipeline, key, sha256)
   );
   ${madeTables}`,
]

const ownTables = new Set(
  migrations
    .join()
    .match(/(?<=CREATE TABLE )lading_\w+/g)
    ?.concat('lading_migration') ?? [],
)

/** Whose table it is that has the name, where no load may write to it. */
export const ownerOf = (table: string): string | undefined =>
  ownTables.has(table.toLowerCase()) ? 'the ledger' : undefined
