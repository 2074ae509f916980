/** The packages of the image: what Lading needs at run time, as installed here, from the lock file. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/**
 * Drivers that are left out. DuckDB writes files of its own machine and has 68 MB; the others serve tests. Whoever needs
 * one builds upon the image (docs/deployment.md).
 */
const leftOut = new Set(['@duckdb/node-api', 'fast-check', 'vitest'])

/** Folders of packages below `root`: dependencies and drivers, with what these need in turn. */
export function packageFolders(root: string): readonly string[] {
  const { dependencies, peerDependencies } = manifestOf(root)
  const drivers = Object.keys(peerDependencies ?? {}).filter((name) => !leftOut.has(name))
  const found = new Set<string>()
  const add = (name: string, from: string, isOptional: boolean): void => {
    const folder = folderOf(name, from)
    if (folder === undefined && !isOptional) throw new Error(`${name}, which ${from} needs, is not installed`)
    if (folder === undefined || found.has(folder)) return
    found.add(folder)
    const needs = manifestOf(folder)
    for (const each of Object.keys(needs.dependencies ?? {})) add(each, folder, false)
    for (const each of Object.keys(needs.optionalDependencies ?? {})) add(each, folder, true)
  }
  for (const name of [...Object.keys(dependencies ?? {}), ...drivers]) add(name, root, false)
  return [...found].toSorted()
}

/** As Node looks a package up: beside the one that needs it, then further up. */
function folderOf(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    if (folder === dirname(folder)) return undefined
  }
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
