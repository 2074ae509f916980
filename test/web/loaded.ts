/** What is kept of a loaded file and a message, as the page sees it. */
import { DatabaseSync } from 'node:sqlite'
import {
  createConsumer,
  defineModel,
  integer,
  load,
  type LoadOptions,
  type Model,
  openQueue,
  openSink,
  text,
} from 'lading'
import { type LedgerAccess, WebLedger } from '../../src/web/ledger.ts'
import { Folder } from '../cli/run.ts'

export const items = defineModel({ table: 'items', columns: { id: integer(), note: text(), n: integer() } })

interface PageOptions extends Pick<LoadOptions, 'dialect'> {
  /** Comes besides. */
  readonly message?: string
  /** What the page knows of models; by default that of the load. */
  readonly known?: Awaited<ReturnType<LedgerAccess['loadModels']>>
}

/** The page's access to the rejects of one loaded file. */
export class Page implements AsyncDisposable {
  readonly ledger: WebLedger
  readonly #folder: Folder

  private constructor(folder: Folder, known: Awaited<ReturnType<LedgerAccess['loadModels']>>) {
    this.#folder = folder
    this.ledger = new WebLedger({
      openSink: () => openSink(`sqlite:${folder.at('lading.db')}`),
      loadModels: async () => known,
      replay: {},
    })
  }

  static async of(
    file: string | Uint8Array,
    model: Model = items,
    name = 'items.csv',
    { dialect, message, known = { model, usual: new Map() } }: PageOptions = {},
  ): Promise<Page> {
    const folder = await Folder.make({ [name]: file })
    await using sink = await openSink(`sqlite:${folder.at('lading.db')}`)
    await using queue = await openQueue(`embedded:${folder.at('queue.db')}`)
    const stated = dialect && { dialect }
    await load({ paths: [folder.at(name)], model, sink, queue, statePath: folder.at('state.db'), ...stated })
    if (message !== undefined) {
      await queue.publish([{ key: 'm', body: Buffer.from(message), headers: {} }])
      await createConsumer({ model, sink, queue }).run({ untilEmpty: true })
    }
    return new Page(folder, known)
  }

  async editing(id: number) {
    const kept = await this.ledger.rejects.show(id)
    const editing = kept?.record?.editing
    if (editing === undefined) throw new Error(`reject ${id} cannot be edited`)
    return editing
  }

  rows(statement: string) {
    using database = new DatabaseSync(this.#folder.at('lading.db'))
    return database.prepare(statement).all() as Record<string, unknown>[]
  }

  edited(id: number): Buffer {
    return Buffer.from(
      this.rows(`SELECT edited FROM lading_reject WHERE id = ${id}`)[0]?.['edited'] as Uint8Array,
    )
  }

  async [Symbol.asyncDispose]() {
    await this.ledger[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}
