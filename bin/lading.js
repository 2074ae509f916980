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
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning, ...rest) => {
    if (
      !/^((SQLite|Type Stripping) is an experimental feature|pgpass support is deprecated)/.test(
        String(warning),
      )
    )
      emitWarning(warning, ...rest)
  }
  keepCompiledCode()
  const { main } = await import('../dist/cli/main.js')
  await main(process.argv)
}

/** The next start takes over what this one compiles. Without a folder for it, each start compiles anew. */
function keepCompiledCode() {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, HOME, LOCALAPPDATA } = process.env
  if (NODE_COMPILE_CACHE !== undefined) return
  const part = (name) => process.getBuiltinModule(name)
  const { isAbsolute, join } = part('node:path')
  const home = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && join(HOME, '.cache'))
  if (!home || !isAbsolute(home)) return
  const { mkdirSync, statSync } = part('node:fs')
  const folder = join(home, 'lading')
  // One after the other: where the file system makes no folder, Node's `recursive` may try for ever.
  for (const path of [home, folder]) {
    try {
      mkdirSync(path, 0o700)
    } catch {
      // It is there, or cannot be made.
    }
  }
  try {
    // What another user could have written there is not run.
    const { uid } = statSync(folder)
    if (process.getuid === undefined || uid === process.getuid())
      part('node:module').enableCompileCache(folder)
  } catch {
    // There is no such folder, or it lies where this user must not look.
  }
}
