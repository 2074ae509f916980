/** Lading as it is run where nothing is installed: its build, and the packages that it needs. */
import { chmodSync, copyFileSync, cpSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageFolders } from './packages.ts'

const checkout = join(import.meta.dirname, '../..')

/** The Node that runs this. */
export function layNode(program: string, license: string): void {
  const node = realpathSync(process.execPath)
  copyFileSync(node, program)
  chmodSync(program, 0o755)
  copyFileSync(join(dirname(node), '../LICENSE'), license)
}

/** Into `folder`, from the checkout's own build and packages. */
export function layApplication(folder: string): void {
  const packages = packageFolders(checkout).map((each) => relative(checkout, each))
  for (const path of ['package.json', 'LICENSE', 'bin', 'dist', ...packages])
    cpSync(join(checkout, path), join(folder, path), {
      recursive: true,
      dereference: true,
      filter: (from) => isRun(relative(join(checkout, path), from)),
    })
}

/** Types and maps are for those who write programs; what a package brings inside is a package of its own here. */
function isRun(path: string): boolean {
  return !/\.(d\.[cm]?ts|map|md|tsbuildinfo)$/.test(path) && !/(^|\/)node_modules(\/|$)/.test(path)
}
