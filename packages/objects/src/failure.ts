// What a failed system call means to the caller of the store.
import { ObjectError } from './error.ts'

const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT']

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some(code => code === error.code)
}

/** `unavailable` with its cause; what is an ObjectError already stays as it is. */
export function unavailable(error: unknown): ObjectError {
  if (error instanceof ObjectError) return error
  const sentence = hasCode(error, ...fullCodes)
    ? 'The object folder has no space left'
    : 'The object folder cannot be used'
  return new ObjectError('unavailable', sentence, { cause: error })
}

/** The answer of a system call, or `unavailable`. */
export async function io<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw unavailable(error)
  }
}

/** The answer of a system call, `otherwise` where it failed with one of the codes, else `unavailable`. */
export async function ioUnless<T, U>(
  call: Promise<T>,
  codes: readonly string[],
  otherwise: U,
): Promise<T | U> {
  try {
    return await call
  } catch (error) {
    if (hasCode(error, ...codes)) return otherwise
    throw unavailable(error)
  }
}
