// What a person at the console did wrong, or what is not there: one sentence, no stack.

export class UsageError extends Error {
  override readonly name = 'UsageError'
}
