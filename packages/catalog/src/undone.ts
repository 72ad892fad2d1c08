// A transaction that finds half way that it must not happen: it is rolled back, and the caller learns why as a value.

/** Why; `full`: there are as many as there may be. `last`: nothing else would be left. */
export type UndoneOutcome = 'not_found' | 'spent' | 'full' | 'last'

/** Thrown inside the transaction and caught by `orUndone`; it never leaves the package. */
export class Undone extends Error {
  override readonly name = 'Undone'
  readonly outcome: UndoneOutcome
  constructor(outcome: UndoneOutcome) {
    super(outcome)
    this.outcome = outcome
  }
}

/** `done` once it is committed; the outcome it was undone with otherwise. */
export async function orUndone(work: Promise<void>): Promise<UndoneOutcome | 'done'> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof Undone) return error.outcome
    throw error
  }
}
