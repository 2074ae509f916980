/** Where the programs lie that lading is compared with, and which versions they are. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Program {
  readonly path: string
  readonly version: string
}

/**
 * PostgreSQL's own client, of the folder that the tests take their server from, on PATH, or where Debian
 * keeps it.
 */
export function findPsql(): Program | undefined {
  const binaries = process.env['LADING_TEST_POSTGRES_BIN']
  return found('psql', ['--version'], {
    folders: [...(binaries ? [binaries] : []), ...debianFolders()],
    pattern: /(\d[\d.]*)/,
  })
}

export const findPgloader = (): Program | undefined =>
  found('pgloader', ['--version'], { pattern: /version "([^"]+)/ })

export const findSqlite = (): Program | undefined => found('sqlite3', ['--version'], { pattern: /^(\S+)/ })

const modules =
  'import sys, pika, psycopg2; print(sys.version.split()[0], pika.__version__, psycopg2.__version__.split()[0])'

/**
 * A Python that has pika and psycopg2. Debian's own comes first, because its packages are not those of
 * another Python on PATH.
 */
export function findPython(): Program | undefined {
  for (const path of ['/usr/bin/python3', findProgram('python3', [])]) {
    if (path === undefined || !isExecutable(path)) continue
    const { status, stdout } = spawnSync(path, ['-c', modules], { encoding: 'utf8' })
    const [python, pika, psycopg2] = stdout.trim().split(' ')
    if (status === 0) return { path, version: `Python ${python}, pika ${pika}, psycopg2 ${psycopg2}` }
  }
  return undefined
}

interface Search {
  /** Beside those of PATH. */
  readonly folders?: readonly string[]
  /** What of the program's answer is its version. */
  readonly pattern: RegExp
}

function found(
  name: string,
  args: readonly string[],
  { folders = [], pattern }: Search,
): Program | undefined {
  const path = findProgram(name, folders)
  if (path === undefined) return undefined
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' })
  return { path, version: pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'of unknown version' }
}

/** A program on PATH or in one of `folders`. */
function findProgram(name: string, folders: readonly string[]): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...path, ...folders].map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where PostgreSQL's programs lie on Debian, the newest first. */
function debianFolders(): string[] {
  try {
    const root = '/usr/lib/postgresql'
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}
