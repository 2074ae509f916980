/** Marks a process that `lading run` started, with the name of its pipeline. */
const variable = 'LADING_RUN'

export const underRun = (pipeline: string) => ({ [variable]: pipeline })

/** The pipeline for which `lading run` started this process. */
export const pipelineOfRun = (): string | undefined => process.env[variable]

export const isUnderRun = (): boolean => pipelineOfRun() !== undefined
