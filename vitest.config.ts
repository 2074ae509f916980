import { chmodSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Files and servers of tests lie in memory, where it has room: to make and drop a database took 0.1 s there, and 0.2 to
// 0.7 s on a disk that others used, too. What is killed is a process, never the machine.
const room = memoryRoom()
if (room !== undefined) {
  const folder = mkdtempSync(`${room}/lading-tests-`)
  // Servers run as other users.
  chmodSync(folder, 0o1777)
  process.env['TMPDIR'] = folder
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

function memoryRoom(): string | undefined {
  const path = '/dev/shm'
  const enough = 8 * 1024 ** 3
  try {
    const { bavail, bsize } = statfsSync(path)
    return Math.min(bavail * bsize, freemem()) >= enough ? path : undefined
  } catch {
    return undefined
  }
}

/**
 * Where no run before says how long they take, vitest begins with large files. These are small, and take minutes, in which
 * the other worker would have nothing left to do.
 */
class LanesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLane = ({ moduleId }: TestSpecification) => /faults\/lanes-into-/.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLane), ...sorted.filter((file) => !isLane(file))]
  }
}

export default defineConfig({
  resolve: {
    alias: [{ find: /^lading$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/setup.ts',
    pool: 'forks',
    sequence: { sequencer: LanesFirst },
    maxWorkers: 2,
    // Tests of a file that run at once share two cores with another file's: more of them only take longer
    // each.
    maxConcurrency: 3,
    // Tests start `lading` from its sources hundreds of times; Node compiles each file once.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/node', import.meta.url)) },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
    // `npm run coverage` (tooling/coverage): what tests reach in their own process and in those that they start, from
    // the sources or as they are built.
    coverage: {
      provider: 'v8',
      autoAttachSubprocess: true,
      include: ['src/**/*.ts', 'dist/**/*.js'],
      exclude: ['dist/testing/**', 'dist/page/**'],
      excludeAfterRemap: true,
      reporter: ['json'],
      reportOnFailure: true,
    },
  },
})
