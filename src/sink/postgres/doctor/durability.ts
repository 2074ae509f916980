/** Whether what the server has confirmed survives a crash, a power cut and a failover. */
import { findingsAbout } from '../../../core/finding.ts'
import { placeOf, resetOf, settingsOf } from './settings.ts'
import { type Check, row } from './visit.ts'

const { ok, note, warn } = findingsAbout('database')

export const durability: Check = async ({ client }, add) => {
  const settings = await settingsOf(client, [
    'fsync',
    'full_page_writes',
    'synchronous_commit',
    'synchronous_standby_names',
  ])
  const of = (name: string) => settings.get(name)
  const undo = (name: string) => resetOf(client, name, of(name)?.source ?? '')
  let holds = true
  if (of('fsync')?.value === 'off') {
    holds = false
    add(
      warn(
        'fsync',
        'fsync is off: a crash of the machine may lose or damage what was confirmed, rows and ledger alike. Files whose load was complete may have to be loaded again into a new database',
        'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
      ),
    )
  }
  if (of('full_page_writes')?.value === 'off') {
    holds = false
    add(
      warn(
        'full_page_writes',
        'full_page_writes is off: a crash of the machine may leave pages that are half written',
        'ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();',
      ),
    )
  }
  const commit = of('synchronous_commit')
  if (commit?.value === 'off' || commit?.value === 'local') {
    add(
      note(
        'synchronous_commit',
        `synchronous_commit is ${commit.value}${placeOf(commit.source)}: Lading turns it on for its own transactions, so its promise holds; other programs may lose their last commits in a crash`,
        await undo('synchronous_commit'),
      ),
    )
  }
  if (holds) add(ok('durability', 'fsync and full_page_writes are on, and each commit waits for the disk'))
  await standbys(client, of('synchronous_standby_names')?.value ?? '', commit?.value ?? '', add)
}

async function standbys(
  client: Parameters<typeof row>[0],
  names: string,
  commit: string,
  add: Parameters<Check>[1],
): Promise<void> {
  const { all, synchronous, known } = await row<{ all: number; synchronous: number; known: boolean | null }>(
    client,
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE sync_state IN ('sync', 'quorum'))::int AS synchronous,
       bool_or(sync_state IS NOT NULL) AS known FROM pg_stat_replication`,
  )
  if (names !== '' && all === 0)
    return add(
      warn(
        'standbys',
        `synchronous_standby_names is ${names}, and no standby is connected: every commit waits until one is`,
        "ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf(); -- or start the standby",
      ),
    )
  if (all === 0) return undefined
  if (names === '')
    return add(
      note(
        'standbys',
        `${all} standby${all === 1 ? '' : 's'} of which none is synchronous: a failover may lose the last transactions, whose messages are settled. lading verify shows such records as open only where the ledger still knows the load`,
        "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'; SELECT pg_reload_conf();",
      ),
    )
  if (known === true && synchronous === 0)
    return add(
      warn(
        'standbys',
        `synchronous_standby_names is ${names}, and of ${all} connected none is synchronous: every commit waits until one is`,
        "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'; SELECT pg_reload_conf(); -- or name one that is connected",
      ),
    )
  if (commit === 'remote_write')
    add(
      note(
        'standbys',
        'synchronous_commit is remote_write: a standby has what it confirmed in memory only, until its system writes it',
        'ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();',
      ),
    )
  return add(
    ok(
      'standbys',
      `${all} connected, ${known === true ? synchronous : 'an unknown number (pg_read_all_stats shows it)'} of them synchronous`,
    ),
  )
}
