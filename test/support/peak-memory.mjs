/** Preloaded into processes whose memory a test wants to know: each says its peak, in KiB, when it ends. */
import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** On Linux, what `resourceUsage` says begins with the memory of the process that started this one. */
function peak() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS
  return /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
}

if (isMainThread) process.on('exit', () => process.stderr.write(`peak ${peak()}\n`))
