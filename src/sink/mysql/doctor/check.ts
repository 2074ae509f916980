/** What a check is given. */
import type { Finding } from '../../../core/finding.ts'
import type { SinkQuestions, TableQuestions } from '../../examination.ts'
import type { Session } from '../session.ts'

type Add = (...found: readonly Finding[]) => void
export type Check = (session: Session, add: Add, questions: SinkQuestions) => Promise<void>
export type TableCheck = (session: Session, add: Add, questions: TableQuestions) => Promise<void>
