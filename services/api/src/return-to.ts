// Where somebody goes on after signing in: a path of this very host, and nothing that a browser could take for another.
import { z } from 'zod'

const charactersMost = 1024
const anyHost = 'https://this.invalid'

/** One slash and printable ASCII; a backslash is a slash to browsers, and they leave out tabs and line breaks. */
const form = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

const isLocal = (text: string): boolean => {
  const url = form.test(text) ? URL.parse(text, anyHost) : null
  return url !== null && url.origin === anyHost && !url.pathname.startsWith('//')
}

export const ReturnTo = z
  .string()
  .max(charactersMost)
  .refine(isLocal, 'must be a path of this host, such as /inbox')

/** The same place, and what went wrong. */
export function withError(returnTo: string, word: string): string {
  const url = new URL(returnTo, anyHost)
  url.searchParams.set('error', word)
  return url.pathname + url.search + url.hash
}
