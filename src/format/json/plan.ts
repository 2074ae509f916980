/** Which members of an object its cells are read from, and those of the objects inside of it. */
import type { Take } from '../../core/cells.ts'

/** A field to read, into a cell of its own. */
export interface Want {
  /** The member that holds it. */
  readonly name?: string | undefined
  /** The names that lead to it inside of members; a member called `name` wins. */
  readonly path?: readonly string[] | undefined
  readonly take: Take
  readonly column?: string | undefined
}

/** An object that holds fields: the cell of its own value, and what is read from it. */
interface Inner {
  readonly cell: number
  /** Where the value itself is the field, its cell: a name in quotes is a path of one step. */
  readonly whole: readonly number[]
  readonly wants: readonly Want[]
  /** The cells of `wants`, in their order. */
  readonly targets: readonly number[]
}

export interface CellPlan {
  /** Those that were asked for, and behind them those of the objects that hold fields. */
  readonly cells: readonly Omit<Want, 'path'>[]
  readonly inner: readonly Inner[]
}

export function planCells(wants: readonly Want[]): CellPlan {
  const reaching = wants.flatMap(({ path, ...want }, target) =>
    path === undefined ? [] : [{ path, want, target }],
  )
  const groups = [...Map.groupBy(reaching, ({ path }) => path[0] as string)]
  const inner = groups.map(([, members], index): Inner => {
    const deeper = members.filter(({ path }) => path.length > 1)
    return {
      cell: wants.length + index,
      whole: members.filter(({ path }) => path.length === 1).map(({ target }) => target),
      wants: deeper.map(({ path, want: { take, column } }) => ({
        ...(path.length === 2 ? { name: path[1] } : { path: path.slice(1) }),
        take,
        column,
      })),
      targets: deeper.map(({ target }) => target),
    }
  })
  const holders = groups.map(([name, members]) => {
    const whole = members.find(({ path }) => path.length === 1)
    return { name, take: whole?.want.take ?? ('source' as const), column: (whole ?? members[0])?.want.column }
  })
  return { cells: [...wants, ...holders], inner }
}
