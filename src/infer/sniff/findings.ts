import type { Choice, Decision, Question } from '../decision.ts'

/** What was decided and what is unclear, in the order in which it was found. */
export class Findings {
  readonly decisions: Decision[] = []
  readonly questions: Question[] = []

  decide(about: string, chosen: string, because: string, line?: number): void {
    this.decisions.push({ about, chosen, because, ...(line !== undefined && { line }) })
  }

  /** With `otherwise`, the file can be loaded without an answer. */
  ask(about: string, line: number, readings: readonly Choice[], otherwise?: string): void {
    this.questions.push({ about, line, readings, ...(otherwise !== undefined && { otherwise }) })
  }
}
