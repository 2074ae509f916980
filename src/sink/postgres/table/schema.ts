import { foreignWrites } from './foreign-writes.ts'
import { madeTables } from './made.ts'

/**
 * The ledger's tables; steps are only ever appended, so that an older version can go on beside a newer one.
 */
export const migrations = [
  `CREATE TABLE lading.load (
     id uuid PRIMARY KEY,
     pipeline text NOT NULL,
     source text NOT NULL,
     sha256 bytea NOT NULL,
     bytes bigint NOT NULL,
     plan bytea NOT NULL,
     chunks bigint NOT NULL,
     records bigint NOT NULL,
     -- Filled once, when the last chunk has its verdict: until then a row that each transaction changed would make consumers queue.
     complete boolean NOT NULL DEFAULT false,
     loaded bigint,
     rejected bigint,
     skipped bigint,
     started_at timestamptz NOT NULL DEFAULT now(),
     completed_at timestamptz,
     CHECK (NOT complete OR records = loaded + rejected + skipped)
   );
   CREATE TABLE lading.ledger (
     pipeline text NOT NULL,
     key text NOT NULL,
     sha256 bytea NOT NULL,
     load_id uuid REFERENCES lading.load,
     outcome text NOT NULL CHECK (outcome IN ('applied', 'dead')),
     records bigint NOT NULL,
     loaded bigint NOT NULL,
     rejected bigint NOT NULL,
     skipped bigint NOT NULL,
     committed_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (pipeline, key),
     CHECK (outcome = 'dead' OR records = loaded + rejected + skipped)
   );
   CREATE INDEX ON lading.ledger (load_id) WHERE load_id IS NOT NULL;
   -- Text is kept as bytes where it comes from a source: a text column refuses NUL and malformed UTF-8, and then the reject itself could not be kept.
   CREATE TABLE lading.reject (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     pipeline text NOT NULL,
     key text NOT NULL,
     load_id uuid REFERENCES lading.load,
     record bigint NOT NULL,
     line bigint NOT NULL,
     byte bigint NOT NULL,
     source text NOT NULL,
     column_name text,
     code text NOT NULL,
     detail text NOT NULL,
     raw bytea NOT NULL,
     at timestamptz NOT NULL DEFAULT now()
   );
   CREATE INDEX ON lading.reject (load_id);
   CREATE TABLE lading.dead_letter (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     pipeline text NOT NULL,
     key text NOT NULL,
     sha256 bytea NOT NULL,
     load_id uuid REFERENCES lading.load,
     records bigint NOT NULL,
     headers text NOT NULL,
     body bytea NOT NULL,
     attempts int NOT NULL,
     code text NOT NULL,
     detail text NOT NULL,
     state text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed')),
     at timestamptz NOT NULL DEFAULT now(),
     UNIQUE (pipeline, key, sha256)
   )`,
  `-- What makes the indexes of a table again that a load has taken away; as long as the row is there, they are missing.
   CREATE TABLE lading.deferred (
     target regclass PRIMARY KEY,
     statements text[] NOT NULL,
     since timestamptz NOT NULL DEFAULT now()
   )`,
  `-- JSON: how the records of a load are written, once it has rejects.
   ALTER TABLE lading.load ADD COLUMN layout text;
   ALTER TABLE lading.reject
     ADD COLUMN span_start int,
     ADD COLUMN span_end int,
     -- JSON: fields whose values in raw are masks.
     ADD COLUMN masked text,
     ADD COLUMN edited bytea,
     ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded'));
   -- No state of its own, because whoever counts the dead goes on counting it.
   ALTER TABLE lading.dead_letter ADD COLUMN discarded_at timestamptz`,
  foreignWrites,
  madeTables,
  `-- Release of the time-zone data by which the load's local times were read first, where its model has zones.
   ALTER TABLE lading.load ADD COLUMN zone_release text`,
  `-- JSON: the unique indexes among them, because a model that is derived from the table needs its keys.
   ALTER TABLE lading.deferred ADD COLUMN keys jsonb`,
  `-- Of the skipped records, those that are left out on purpose; an older version counts them as skipped.
   ALTER TABLE lading.load ADD COLUMN filtered bigint;
   ALTER TABLE lading.ledger ADD COLUMN filtered bigint`,
  `-- Of a file that grows: the load behind whose part this one begins. Only one load follows another.
   ALTER TABLE lading.load ADD COLUMN follows uuid;
   CREATE UNIQUE INDEX load_follows ON lading.load (follows) WHERE follows IS NOT NULL`,
  `-- Of a load that replaced the rows of its table: when, and how many rows it adds to the sum of that replacement: all for the first load,
   -- none for the others, and what was replayed since.
   ALTER TABLE lading.load ADD COLUMN replaced_at timestamptz, ADD COLUMN replaced_rows bigint`,
  `-- What a receipt, a page of history, a file and a page of rejects ask for; none of them may read a whole table.
   CREATE INDEX dead_letter_load ON lading.dead_letter (load_id) WHERE load_id IS NOT NULL;
   CREATE INDEX load_history ON lading.load (started_at DESC, id);
   CREATE INDEX load_source ON lading.load (pipeline, hashtextextended(source, 0));
   CREATE INDEX reject_open ON lading.reject (id) WHERE state = 'open'`,
  `-- When a person gave the load up: what of it had no verdict is skipped, on purpose.
   ALTER TABLE lading.load ADD COLUMN abandoned_at timestamptz`,
]
