/**
 * Whether a table holds nothing but what we have written, proven for as long as its indexes are away: a
 * trigger notes each statement of another session, even one that leaves the number of rows as it was. It is a
 * statement trigger, so COPY does not slow down; our own sessions are known by a setting, and do not even
 * call its function. `ENABLE ALWAYS`, because a session with `session_replication_role = replica` fires no
 * others.
 */
import type pg from 'pg'
import type { Model } from '../../../model/model.ts'
import { qualified } from './ddl.ts'

/**
 * The function in `migrations`. It writes with the rights of its owner: other programs need none on the
 * ledger.
 */
export const foreignWrites = `
  -- Tables whose indexes are away and which a session that is not ours has written to.
  CREATE TABLE lading.foreign_write (target oid NOT NULL, at timestamptz NOT NULL DEFAULT now());
  CREATE FUNCTION lading.note_foreign_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
  BEGIN
    -- A row for each transaction at work, and none after the first has committed: no session waits for another.
    INSERT INTO lading.foreign_write (target) SELECT TG_RELID WHERE NOT EXISTS (SELECT FROM lading.foreign_write WHERE target = TG_RELID);
    RETURN NULL;
  END $$`

const trigger = 'lading_foreign_write'

/** Begins to watch a table that is locked against every other session. */
export async function watchWrites(client: pg.Client, model: Model): Promise<void> {
  await unwatchWrites(client, model)
  await client.query(
    createTrigger(model, "WHEN (current_setting('lading.session', true) IS DISTINCT FROM 'ours')"),
  )
}

/**
 * Once a load has written all that it had: from now on, writes of our own sessions are noted too. Within a
 * transaction. Returns false and changes nothing if another session may have written.
 */
export async function watchAllWrites(client: pg.Client, model: Model): Promise<boolean> {
  await client.query(`LOCK TABLE ${qualified(model)} IN ACCESS EXCLUSIVE MODE`)
  if ((await foreignWrite(client, model)) !== undefined) return false
  await client.query(`DROP TRIGGER ${trigger} ON ${qualified(model)}; ${createTrigger(model, '')}`)
  return true
}

/** `condition`: of what sessions it fires. */
const createTrigger = (model: Model, condition: string): string =>
  `CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${qualified(model)} FOR EACH STATEMENT
      ${condition} EXECUTE FUNCTION lading.note_foreign_write();
    ALTER TABLE ${qualified(model)} ENABLE ALWAYS TRIGGER ${trigger}`

export async function unwatchWrites(client: pg.Client, model: Model): Promise<void> {
  await client.query(`DROP TRIGGER IF EXISTS ${trigger} ON ${qualified(model)}`)
  await client.query('DELETE FROM lading.foreign_write WHERE target = to_regclass($1)', [qualified(model)])
}

/**
 * Why the table may hold something that is not ours, or lack something that is; undefined where it is proven
 * that it does not.
 */
export async function foreignWrite(client: pg.Client, model: Model): Promise<string | undefined> {
  const { rows } = await client.query<{ noted: boolean; watched: boolean }>(
    `SELECT EXISTS (SELECT FROM lading.foreign_write WHERE target = to_regclass($1)) AS noted,
       NOT EXISTS (SELECT FROM pg_inherits WHERE to_regclass($1) IN (inhrelid, inhparent))
       AND (SELECT array_agg(format('%s %s', tgname, tgenabled)) FROM pg_trigger WHERE tgrelid = to_regclass($1) AND NOT tgisinternal) = $2 AS watched`,
    [qualified(model), [`${trigger} A`]],
  )
  if (rows[0]?.noted === true) return 'another program has written to it since the load began'
  return rows[0]?.watched === true
    ? undefined
    : 'its triggers or parents are others than when the load began, so that others may have written to it unseen'
}
