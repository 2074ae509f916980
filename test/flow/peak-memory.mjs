/** Preloaded into processes whose memory a test wants to know: each says its peak, in KiB, when it ends. */
process.on('exit', () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\n`))
