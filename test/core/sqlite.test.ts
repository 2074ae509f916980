import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'

/** Of `PRAGMA synchronous` (sqlite.org/pragma.html): with a WAL, a commit is on the disk before it is answered. */
const full = 2

it('a commit waits for the disk, also in a file that was made before', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-sqlite-'))
  for (const _ of ['new', 'made before']) {
    using file = new SqliteFile(join(folder.path, 'a.db'))
    expect(file.get('PRAGMA synchronous')).toEqual({ synchronous: full })
    expect(file.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
  }
})
