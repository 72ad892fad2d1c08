// What went wrong with a file that a person named, in a sentence.
import { UsageError } from './error.ts'

const sentences: Readonly<Record<string, (file: string) => string>> = {
  EACCES: file => `${file} may not be read or written by you`,
  EEXIST: file => `${file} exists already, and is never written over`,
  EISDIR: file => `${file} is a folder`,
  ENOENT: file => `${file} is not there, or the folder it is to be in is not`,
  ENOSPC: file => `There is no room left for ${file}`,
  ENOTDIR: file => `${file} is not in a folder`,
  EROFS: file => `${file} cannot be written: its disk is read-only`,
}

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
}

/** A failure of the person's making with its sentence, or the error itself where it is none. */
export function fileFailure(error: unknown, file: string): unknown {
  const sentence = sentences[codeOf(error) ?? '']
  return sentence === undefined ? error : new UsageError(sentence(file), { cause: error })
}
