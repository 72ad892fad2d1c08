// What was tried against a recording that is kept, by whom, what refused it, and where that is written down.

export type Wall = 'api' | 'command' | 'worker' | 'database' | 'bucket' | 'folder'

export interface Attempt {
  readonly wall: Wall
  readonly what: string
  readonly by: string
  /** In a few words; starts with `allowed` where it was, and says why that is no way round. */
  readonly refused: string
  readonly logged: string
  /** What became of it that must not. */
  readonly harm: readonly string[]
}

export interface AttemptRow extends Omit<Attempt, 'harm'> {
  readonly count: number
}

export const harmsOf = (attempts: readonly Attempt[]): readonly string[] =>
  attempts.flatMap(({ wall, what, by, harm }) => harm.map(one => `${wall}: ${what}, by ${by}: ${one}`))

/** Alike but for whom they are by: one row. */
export function rowsOf(attempts: readonly Attempt[]): readonly AttemptRow[] {
  const alike = Map.groupBy(attempts, ({ wall, what, refused, logged }) =>
    JSON.stringify([wall, what, refused, logged]),
  )
  return [...alike.values()].flatMap(some => {
    const [first] = some
    if (first === undefined) return []
    const { wall, what, refused, logged } = first
    const by = [...new Set(some.map(attempt => attempt.by))].join(', ')
    return [{ wall, what, by, refused, logged, count: some.length }]
  })
}
