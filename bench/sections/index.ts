import type { SectionName } from '../options.ts'
import { brin, hash } from './loads.ts'
import type { Section } from './section.ts'
import { sqlite } from './sqlite.ts'

export const sections: Readonly<Record<string, Section>> = { brin, hash, sqlite }
