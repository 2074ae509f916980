#!/usr/bin/env node
// Checks the engine before anything newer than Node 12 is parsed, so that an old Node gets a sentence and no
// stack.
const [major, minor] = process.versions.node.split('.').map(Number)
// `engines` of package.json says the same. Node 23 was never a release to stay with, and is none any more.
if (major < 22 || (major === 22 && minor < 18) || major === 23) {
  console.error(`lading needs Node 22.18 or a later 22, or 24 or newer; this is ${process.versions.node}`)
  process.exitCode = 78
} else {
  // Node 22 calls two features experimental that Node 24 no longer does, and pg will drop password files;
  // nobody who loads a file can act on that.
  const { emitWarning } = process
  process.emitWarning = (warning, ...rest) => {
    if (
      !/^((SQLite|Type Stripping) is an experimental feature|pgpass support is deprecated)/.test(
        String(warning),
      )
    )
      emitWarning.call(process, warning, ...rest)
  }
  const { main } = await import('../dist/cli/main.js')
  await main(process.argv)
}
