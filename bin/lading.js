#!/usr/bin/env node
// Checks the engine before anything newer than Node 12 is parsed, so that an old Node gets a sentence and no stack.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`lading needs Node 22.18 or newer, this is ${process.versions.node}`)
  process.exitCode = 78
} else {
  const { main } = await import('../dist/cli/main.js')
  await main(process.argv)
}
