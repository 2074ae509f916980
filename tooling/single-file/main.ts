/**
 * Makes Lading one file for machines without Node, for the system and the processor of this one:
 *
 *     node tooling/single-file/main.ts FILE
 *
 * The file is a shell script (launcher.sh) and behind it an archive of Node, Lading and its drivers, those of the image. A
 * program that Node can embed in itself (SEA) has one script and no files: it could start none of Lading's threads, and a
 * model of the user's own would not find `lading`.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layApplication, layNode } from '../image/application.ts'

const out = process.argv[2]
if (out === undefined) throw new Error('node tooling/single-file/main.ts FILE')

const folder = mkdtempSync(join(tmpdir(), 'lading-single-file-'))
try {
  layNode(join(folder, 'node'), join(folder, 'LICENSE.node'))
  layApplication(join(folder, 'app'))
  const { version } = JSON.parse(readFileSync(join(folder, 'app/package.json'), 'utf8')) as {
    version: string
  }
  const archive = execFileSync('tar', ['-czf', '-', '-C', folder, '.'], { maxBuffer: 2 ** 30 })
  const content = `${version}-${createHash('sha256').update(archive).digest('hex').slice(0, 16)}`
  writeFileSync(out, Buffer.concat([Buffer.from(launcher(version, content)), archive]))
  chmodSync(out, 0o755)
} finally {
  rmSync(folder, { recursive: true })
}

function launcher(version: string, content: string): string {
  const script = readFileSync(join(import.meta.dirname, 'launcher.sh'), 'utf8')
  const lines = script.split('\n').length
  return script
    .replace('VERSION', version)
    .replace('PLATFORM', `${process.platform} ${process.arch}`)
    .replace('CONTENT', content)
    .replace('LINES', String(lines))
}
