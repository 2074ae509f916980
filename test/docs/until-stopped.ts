/** Runs a command until it has printed what its page shows, then stops it as Ctrl-C does. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { firstMisfit } from './expected.ts'

const { command, expected } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  readonly command: string
  readonly expected: readonly string[]
}

const child = spawn('bash', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
let printed = ''
let isStopped = false
for (const stream of [child.stdout, child.stderr])
  stream.on('data', (piece: Buffer) => {
    process.stdout.write(piece)
    printed += piece.toString()
    if (isStopped || firstMisfit([...expected, '…'], printed.split('\n')) !== undefined) return
    isStopped = true
    process.kill(-(child.pid as number), 'SIGINT')
  })
child.on('close', (code) => (process.exitCode = code ?? 0))
