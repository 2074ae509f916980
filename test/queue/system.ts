/** What tests borrow from the operating system, where it lends it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import type { TestContext } from 'vitest'

/** Skips with a reason that nobody overlooks; where CI is set, nothing may be skipped. */
export function skipLoudly(context: TestContext, reason: string): never {
  // In CI nothing is skipped, but for what only root may do where we are not root.
  if (process.env['CI'] && process.getuid?.() === 0) throw new Error(`not testable here: ${reason}`)
  process.stderr.write(`\nSKIPPED: ${context.task.name}: ${reason.trim()}\n`)
  return context.skip(reason)
}

/** A file system of its own of so many KiB; a string says why there is none. */
export function mountSmall(folder: string, kib: number, access = 'rw'): { unmount: () => void } | string {
  mkdirSync(folder)
  const mounted = run('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,${access}`, 'tmpfs', folder])
  if (mounted.status !== 0) return `mount: ${mounted.error?.message ?? mounted.stderr}`
  return { unmount: () => void run('umount', [folder]) }
}

/** Does `work` with the rights of nobody, because root may write everywhere. */
export async function withoutRights(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

export function stracePrefix(output: string): readonly string[] | string {
  const tried = run('strace', ['-e', 'trace=none', 'true'])
  if (tried.status !== 0) return `strace: ${tried.error?.message ?? tried.stderr}`
  return ['strace', '-y', '-e', 'trace=fdatasync,fsync,pwrite64,write', '-o', output]
}

/**
 * Of each report of a peer: whether the WAL was written since the last one, and synced after its last write.
 */
export function syncsBeforeReports(
  straceOutput: string,
): { readonly written: boolean; readonly synced: boolean }[] {
  const found: { written: boolean; synced: boolean }[] = []
  let state = { written: false, synced: false }
  for (const line of readFileSync(straceOutput, 'utf8').split('\n')) {
    if (/^p?write(64)?\(\d+<[^>]*-wal>/.test(line)) state = { written: true, synced: false }
    else if (/^f(data)?sync\(\d+<[^>]*-wal>\)\s+= 0/.test(line)) state.synced = true
    else if (/^write\(1<[^>]*>, "\{\\"confirmed\\"/.test(line)) {
      found.push(state)
      state = { written: false, synced: false }
    }
  }
  return found
}

const run = (command: string, args: readonly string[]) => spawnSync(command, args, { encoding: 'utf8' })
