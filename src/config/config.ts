/** What a configuration file of the command holds, for the editor of who writes it in TypeScript. */
import type { AllSettings, ConsumeSettings, LoadSettings, ProduceSettings } from './settings.ts'

interface Paths {
  /** Files, folders and patterns. */
  readonly paths?: string | readonly string[] | undefined
}

/** A command with its options, which `lading run NAME` runs. */
export type PipelineConfig =
  | (LoadSettings & Paths & { readonly command?: 'load' | undefined })
  | (ConsumeSettings & { readonly command: 'consume' })
  | (ProduceSettings & Paths & { readonly command: 'produce' })

/** Defaults of options for every command that has them, and pipelines by their names. */
export interface Config extends AllSettings {
  readonly pipelines?: Readonly<Record<string, PipelineConfig>> | undefined
}

/** The configuration as it is, with its type checked. */
export const defineConfig = (config: Config): Config => config
