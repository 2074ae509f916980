/**
 * READ COMMITTED, because under a stricter level the second of two consumers of one chunk would fail instead
 * of waiting for the first. synchronous_commit is raised if a role or database has lowered it. Deferred
 * constraints are checked at once, so that a refused row shows before COMMIT. If a lock takes more than 5 s,
 * the batch is tried again.
 */
export const beginBatch = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '10min';
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local');
  SET CONSTRAINTS ALL IMMEDIATE`
