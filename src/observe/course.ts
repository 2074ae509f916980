import type { EventOf, LadingEvent } from '../core/events.ts'
import type { Course } from './snapshot.ts'

/** What a run is at, beside its loads: which files it knows of, reads, and which indexes it builds. */
export class CourseKeeper {
  #found: EventOf<'found'> | undefined
  #planned = 0
  #planning: EventOf<'planning'> | undefined
  #building: Course['building']

  hear(event: LadingEvent, now: number): void {
    switch (event.type) {
      case 'found':
        this.#found = event
        this.#planned = 0
        return
      case 'planning':
        this.#planning = event
        return
      case 'planned':
        this.#planned++
        this.#planning = undefined
        return
      case 'indexes':
        // It may be tried again.
        this.#building =
          event.state === 'building' ? (this.#building ?? { table: event.table, since: now }) : undefined
        return
      default:
    }
  }

  snapshot(): Course {
    const { source, bytes = 0, size = 0 } = this.#planning ?? {}
    return {
      files: this.#found && { found: this.#found.files, planned: this.#planned, bytes: this.#found.bytes },
      planning: source === undefined ? undefined : { source, bytes, size },
      building: this.#building,
    }
  }
}
