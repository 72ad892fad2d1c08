// Text and names as FHIR takes them, also where a client made them up.
import type { Identifier } from './resource.ts'

const ourId = /^[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}$/

/** A FHIR string (R4 section 2.24.0.1) has no control character but tab and line ends, and is never blank: null then. */
export function fhirText(text: string | undefined): string | null {
  const plain = text
    ?.toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}/gu, '\ufffd')
    .trim()
  return plain || null
}

/** An id of the vault says by its first letters what it names; a part of the vault is named by a word. */
export const identifierOf = (value: string): Identifier => ({
  system: ourId.test(value) ? 'urn:auricle:id' : 'urn:auricle:part',
  value,
})

/** The element by its name, or nothing: FHIR has no null. */
export const present = <Name extends string, Value>(
  name: Name,
  value: Value | null,
): { readonly [Key in Name]?: Value } =>
  value === null ? {} : ({ [name]: value } as { readonly [Key in Name]: Value })
