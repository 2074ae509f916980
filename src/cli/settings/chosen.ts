/** A pipeline of the configuration file, and the one that runs in this process. */

export const pipelineCommands = ['load', 'consume', 'produce'] as const

export interface Pipeline {
  readonly name: string
  readonly command: (typeof pipelineCommands)[number]
  readonly paths: readonly string[]
  /** Keys and values of its options, as written. */
  readonly settings: Readonly<Record<string, unknown>>
}

let chosen: Pipeline | undefined

/** The command takes its options. */
export const choosePipeline = (pipeline: Pipeline): void => void (chosen = pipeline)

export const chosenPipeline = (): Pipeline | undefined => chosen
