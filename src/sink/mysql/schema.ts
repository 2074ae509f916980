import { madeTables } from './made.ts'

/** ISO 8601, as text: a DATETIME takes none with a zone. */
export const now = "concat(left(date_format(utc_timestamp(3), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')"

/** Texts of which each byte counts, of any length. */
const text = 'LONGTEXT CHARACTER SET utf8mb4 COLLATE'
/** Words of our own. */
const word = (length: number): string => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`
const id = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin'
const time = word(24)
/** Both of an index, whose keys have 3072 bytes at most. */
const [pipeline, key] = ['VARBINARY(1024)', 'VARBINARY(1900)']

/**
 * The ledger's tables, in the database of the target; statements are only ever appended. No foreign keys: each row that
 * refers to a load would lock the load's. `collation`: that of texts, which compares bytes.
 */
export const migrations = (collation: string): readonly string[] => {
  const longText = `${text} ${collation}`
  return [
    `CREATE TABLE lading_load (
      id ${id} NOT NULL PRIMARY KEY,
      pipeline ${pipeline} NOT NULL,
      source ${longText} NOT NULL,
      sha256 BINARY(32) NOT NULL,
      bytes BIGINT NOT NULL,
      plan BINARY(32) NOT NULL,
      chunks BIGINT NOT NULL,
      records BIGINT NOT NULL,
      complete BOOLEAN NOT NULL DEFAULT false,
      loaded BIGINT,
      rejected BIGINT,
      skipped BIGINT,
      -- Of the skipped records, those that are left out on purpose.
      filtered BIGINT,
      started_at ${time} NOT NULL DEFAULT (${now}),
      completed_at ${time},
      -- JSON: how the records of a load are written.
      layout ${longText},
      -- Release of the time-zone data by which the load's local times were read first, where its model has zones.
      zone_release ${word(100)},
      -- Of a file that grows: the load behind whose part this one begins. Only one load follows another.
      follows ${id} UNIQUE,
      -- Of a load that replaced the rows of its table.
      replaced_at ${time},
      replaced_rows BIGINT,
      -- When a person gave the load up: what of it had no verdict is skipped, on purpose.
      abandoned_at ${time},
      -- The history, and files by their name: of that, what an index has room for.
      INDEX (started_at DESC, id),
      INDEX (pipeline, source(255)),
      CHECK (NOT complete OR records = loaded + rejected + skipped)
    ) ENGINE=InnoDB`,
    `CREATE TABLE lading_ledger (
      pipeline ${pipeline} NOT NULL,
      "key" ${key} NOT NULL,
      sha256 BINARY(32) NOT NULL,
      load_id ${id},
      outcome ${word(10)} NOT NULL CHECK (outcome IN ('applied', 'dead')),
      records BIGINT NOT NULL,
      loaded BIGINT NOT NULL,
      rejected BIGINT NOT NULL,
      skipped BIGINT NOT NULL,
      filtered BIGINT,
      committed_at ${time} NOT NULL DEFAULT (${now}),
      PRIMARY KEY (pipeline, "key"),
      INDEX (load_id),
      CHECK (outcome = 'dead' OR records = loaded + rejected + skipped)
    ) ENGINE=InnoDB`,
    `CREATE TABLE lading_reject (
      id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      pipeline ${pipeline} NOT NULL,
      "key" ${key} NOT NULL,
      load_id ${id},
      record BIGINT NOT NULL,
      line BIGINT NOT NULL,
      byte BIGINT NOT NULL,
      source ${longText} NOT NULL,
      column_name ${longText},
      code ${word(100)} NOT NULL,
      detail ${longText} NOT NULL,
      raw LONGBLOB NOT NULL,
      at ${time} NOT NULL DEFAULT (${now}),
      span_start INT,
      span_end INT,
      -- JSON: fields whose values in raw are masks.
      masked ${longText},
      edited LONGBLOB,
      state ${word(10)} NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
      INDEX (load_id),
      INDEX (state, id)
    ) ENGINE=InnoDB`,
    `CREATE TABLE lading_dead_letter (
      id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      pipeline ${pipeline} NOT NULL,
      "key" ${key} NOT NULL,
      sha256 BINARY(32) NOT NULL,
      load_id ${id},
      records BIGINT NOT NULL,
      headers ${longText} NOT NULL,
      body LONGBLOB NOT NULL,
      attempts INT NOT NULL,
      code ${word(100)} NOT NULL,
      detail ${longText} NOT NULL,
      state ${word(10)} NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed')),
      at ${time} NOT NULL DEFAULT (${now}),
      -- No state of its own, because whoever counts the dead goes on counting it.
      discarded_at ${time},
      UNIQUE (pipeline, "key", sha256),
      INDEX (load_id)
    ) ENGINE=InnoDB`,
    ...madeTables,
  ]
}
