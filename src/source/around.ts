import type { Abortable } from '../core/wait.ts'
import type { RangeReader, ReadOptions, Source, Stamp, Whole } from './source.ts'

/** A source that is read by another one. There may be a hundred thousand: an object of them is small. */
export class SourceAround implements Source {
  protected readonly source: Source

  constructor(source: Source) {
    this.source = source
  }

  get name(): string {
    return this.source.name
  }

  get path(): string {
    return this.source.path
  }

  get location(): string {
    return this.source.location
  }

  get isTransient(): boolean {
    return this.source.isTransient
  }

  get isPrivate(): boolean | undefined {
    return this.source.isPrivate
  }

  size(): Promise<number> {
    return this.source.size()
  }

  state(): Promise<string> {
    return this.source.state()
  }

  stamp(): Stamp | undefined {
    return this.source.stamp?.()
  }

  whole(): Whole | undefined {
    return this.source.whole?.()
  }

  async ahead(options?: ReadOptions & Abortable): Promise<void> {
    await this.source.ahead?.(options)
  }

  bytes(options?: ReadOptions): AsyncGenerator<Buffer> {
    return this.source.bytes(options)
  }

  ranges(): Promise<RangeReader | undefined> {
    return this.source.ranges()
  }

  reference(root?: string): Promise<string | undefined> {
    return this.source.reference(root)
  }
}
