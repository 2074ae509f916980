import { program } from '../../src/cli/main.ts'
import { configSchema } from '../../src/cli/settings/config/schema.ts'
import type { Page } from './page.ts'

/** For editors, as `$schema` of a configuration file. */
export const schema: Page = {
  name: 'config.schema.json',
  render: async () => `${JSON.stringify(configSchema(await program()), null, 2)}\n`,
}
