import { join } from 'node:path'
import { api } from './api.ts'
import { commands } from './commands.ts'
import { environment } from './environment.ts'
import { errors } from './errors.ts'
import { metrics } from './metrics.ts'
import type { Page } from './page.ts'
import { picture } from './picture.ts'
import { schema } from './schema.ts'
import { settings } from './settings.ts'

export const reference = join(import.meta.dirname, '../../docs/reference')

/** All that is generated, a module for each. */
export const pages: readonly Page[] = [api, commands, environment, settings, schema, errors, metrics, picture]
