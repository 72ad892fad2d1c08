// What looking at one part of a deployment found, for `auricle doctor` and for the log of a start.

export interface Finding {
  /** The part that was looked at, in a word or three: `recordings bucket`, `queue`. */
  readonly name: string
  /**
   * `warn`: works, and somebody should look at it. `bad`: a law of the vault does not hold, so nothing starts on it.
   * `away`: cannot be asked now, which says nothing of what it would answer.
   */
  readonly state: 'ok' | 'warn' | 'bad' | 'away'
  /** A plain sentence or fact; never a secret, never a patient's. */
  readonly found: string
  /** The command or the sentence that mends it; null where nothing is wrong. */
  readonly mend: string | null
}
