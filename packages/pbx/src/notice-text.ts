// What the text in a delivery's metadata may hold, before it becomes a `Notice`.
import { Notice } from '@auricle/contract'
import { z } from 'zod'
import { PbxError } from './error.ts'

/** C0, DEL and C1: nothing that a name or number needs, and what garbles terminals, headers and logs. */
const controlCharacter = /\p{Cc}/u
/** The same without tab, line feed and carriage return. */
const controlCharacterInProse = /[^\P{Cc}\t\n\r]/u

const maxShortLength = 256
const maxNoteLength = 4096
const maxSourceIdLength = 512
const maxUrlLength = 2048

export const shortText = z
  .string()
  .max(maxShortLength)
  .refine(text => !controlCharacter.test(text), 'has control characters')

export const sourceIdText = z
  .string()
  .min(1)
  .max(maxSourceIdLength)
  .refine(text => !controlCharacter.test(text), 'has control characters')

export const noteText = z
  .string()
  .max(maxNoteLength)
  .refine(text => !controlCharacterInProse.test(text), 'has control characters')

/** RFC 3339 with any offset, brought to UTC. */
export const instantText = z.iso.datetime({ offset: true }).transform(text => new Date(text).toISOString())

export const sha256Text = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform(text => text.toLowerCase())

export const webUrlText = z.url({ protocol: /^https?$/ }).max(maxUrlLength)

/** The last segment of a sender's file name, for its extension; null where it is nothing to keep. */
export function plainFileName(name: string | null): string | null {
  const last = name?.split(/[/\\]/).at(-1) ?? ''
  return last !== '' && shortText.safeParse(last).success ? last : null
}

/** A type that tells nothing is as good as none. */
export function declaredType(contentType: string | null | undefined): string | null {
  const text = contentType?.trim() ?? ''
  if (text === '' || text.toLowerCase() === 'application/octet-stream') return null
  return shortText.safeParse(text).success ? text : null
}

/** Throws `PbxError('malformed')` that names the fields at fault, never their values. */
export function parseMetadata<Output>(schema: z.ZodType<Output>, value: unknown, what: string): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const fields = [...new Set(result.error.issues.map(issue => issue.path.join('.') || 'the whole'))].join(
    ', ',
  )
  throw new PbxError('malformed', `${what} cannot be accepted; check: ${fields}.`)
}

/** The contract's own parser has the last word on what leaves this package. */
export function toNotice(notice: Notice): Notice {
  return parseMetadata(Notice, notice, 'The metadata')
}
