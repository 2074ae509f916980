/** The command line from its sources, for tests that need it as a process. */
import { main } from '../../src/cli/main.ts'

await main(process.argv)
