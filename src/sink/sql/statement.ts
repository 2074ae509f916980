/** SQL with its values, put together from parts, so that no one counts parameters. */

export type SqlValue = string | number | Uint8Array | null | readonly (string | number)[]

export class Sql {
  /** One more than there are values. */
  readonly texts: readonly string[]
  readonly values: readonly SqlValue[]

  constructor(texts: readonly string[], values: readonly SqlValue[] = []) {
    this.texts = texts
    this.values = values
  }

  /** `placeholder` gives what stands for value number `n`, from 1. */
  text(placeholder: (n: number) => string): string {
    return this.texts.reduce((text, next, n) => text + placeholder(n) + next)
  }
}

/** A statement or a part of one. What is put into it is a value, unless it is a part itself. */
export function sql(texts: TemplateStringsArray, ...inserted: readonly (SqlValue | Sql)[]): Sql {
  const built = [texts[0] as string]
  const values: SqlValue[] = []
  const append = (text: string) => built.push(`${built.pop()}${text}`)
  for (const [index, each] of inserted.entries()) {
    if (each instanceof Sql) {
      append(each.texts[0] as string)
      built.push(...each.texts.slice(1))
      values.push(...each.values)
    } else {
      values.push(each)
      built.push('')
    }
    append(texts[index + 1] as string)
  }
  return new Sql(built, values)
}

/** A part of a statement that is a constant of the code, never a user's text. */
export const raw = (text: string): Sql => new Sql([text])

/** All of the conditions; those that are undefined do not matter. */
export function allOf(conditions: readonly (Sql | undefined)[]): Sql {
  const [first, ...others] = conditions.filter((each) => each !== undefined)
  return others.reduce((all, each) => sql`${all} AND ${each}`, first ?? raw('true'))
}
