/** Whether what the server has confirmed survives a crash, a power cut and a failover. */
import { findingsAbout } from '../../../core/finding.ts'
import type { Check } from './check.ts'

const { ok, note, warn, fail } = findingsAbout('database')

export const durability: Check = async (session, add) => {
  const [row] = await session.query(
    'SELECT @@GLOBAL.innodb_flush_log_at_trx_commit AS flush, @@GLOBAL.innodb_doublewrite AS pages, @@GLOBAL.log_bin AS log, @@GLOBAL.sync_binlog AS sync, @@innodb_rollback_on_timeout AS timeouts',
  )
  const of = (name: string) => String(row?.[name])
  let holds = true
  if (of('flush') !== '1') {
    holds = false
    add(
      warn(
        'innodb_flush_log_at_trx_commit',
        `it is ${of('flush')}: a crash of the machine may lose the last second of what was confirmed, rows and ledger alike, whose messages are settled. Files whose load was complete may have to be loaded again`,
        'SET GLOBAL innodb_flush_log_at_trx_commit = 1;',
      ),
    )
  }
  if (of('pages') === '0' || of('pages') === 'OFF') {
    holds = false
    add(
      warn(
        'innodb_doublewrite',
        'it is off: a crash of the machine may leave pages that are half written',
        'innodb_doublewrite = ON in the configuration of the server, and a restart',
      ),
    )
  }
  if (of('log') === '1' && of('sync') !== '1')
    add(
      note(
        'sync_binlog',
        `it is ${of('sync')}: after a crash of the machine replicas may lack what the server has`,
        'SET GLOBAL sync_binlog = 1;',
      ),
    )
  if (holds) add(ok('durability', 'each commit waits for the disk'))
}

/** STATEMENT cannot replicate READ COMMITTED, so that InnoDB refuses each write (error 1665). */
export const replication: Check = async (session, add) => {
  const [row] = await session.query(
    "SELECT @@GLOBAL.log_bin AS log, @@SESSION.binlog_format AS format, (SELECT count(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%') AS replicas",
  )
  if (String(row?.['log']) !== '1') return
  if (row?.['format'] === 'STATEMENT')
    add(
      fail(
        'binlog_format',
        'it is STATEMENT, with which InnoDB refuses every write of a READ COMMITTED transaction (error 1665)',
        'SET GLOBAL binlog_format = ROW;',
      ),
    )
  const replicas = Number(row?.['replicas'])
  // v8 ignore next -- no server of the tests has a replica
  if (replicas > 0)
    add(
      note(
        'replicas',
        `${replicas} connected: unless replication is semi-synchronous, a failover may lose the last transactions, whose messages are settled`,
      ),
    )
}
