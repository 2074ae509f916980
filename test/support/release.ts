/** An older release of Lading, built from its commit, for tests of what it leaves behind. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '../..')

export interface Release<Face> extends Disposable {
  /** What the release's `lading` exports. */
  readonly face: Face
}

/** Builds the library as it was at `commit`, with the compiler and the packages of this checkout. */
export async function buildRelease<Face>(commit: string): Promise<Release<Face>> {
  const folder = mkdtempSync(join(tmpdir(), 'lading-release-'))
  try {
    execFileSync('tar', ['-x', '-C', folder], { input: archive(commit) })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '-p', join(folder, 'tsconfig.build.json')], { stdio: 'pipe' })
    const face = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as Face
    return { face, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
}

function archive(commit: string): Buffer {
  const paths = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src']
  try {
    return execFileSync('git', ['archive', commit, ...paths], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (cause) {
    throw new Error(
      `git has no commit ${commit} here, from which the older release is built: this test needs a clone with its whole history (git fetch --unshallow)`,
      { cause },
    )
  }
}
