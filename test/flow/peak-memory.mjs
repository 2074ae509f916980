/** Preloaded into processes whose memory a test wants to know: each says its peak, in KiB, when it ends. */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) process.on('exit', () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\n`))
