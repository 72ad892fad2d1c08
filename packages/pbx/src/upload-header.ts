// The `X-Auricle-*` headers of the `upload` connector: how their values are written, and the fields they become.
import { CallDirection, RecordingKind } from '@auricle/contract'
import { z } from 'zod'
import { PbxError } from './error.ts'
import { instantText, parseMetadata, sha256Text, shortText, sourceIdText } from './notice-text.ts'

const prefix = 'x-auricle-'
const millisecondsPerSecond = 1000

/** Seconds since 1970, which PBX dial plans have at hand, or RFC 3339. */
const startedAt = z.union([
  z
    .string()
    .regex(/^[0-9]{1,11}$/)
    .transform(text => new Date(Number(text) * millisecondsPerSecond).toISOString()),
  instantText,
])

const UploadFields = z.object({
  'source-id': sourceIdText.optional(),
  kind: RecordingKind.optional(),
  mailbox: shortText.optional(),
  direction: CallDirection.optional(),
  from: shortText.optional(),
  'from-name': shortText.optional(),
  to: shortText.optional(),
  'patient-reference': shortText.optional(),
  'started-at': startedAt.optional(),
  sha256: sha256Text.optional(),
})
export type UploadFields = z.infer<typeof UploadFields>

/**
 * The only fields that may stand in the query. Numbers and names may not: addresses end up in the logs of proxies
 * and PBXs, where nobody seals them.
 */
const queryFields = ['kind', 'mailbox'] as const

/** Headers count before the query. Throws `PbxError('malformed')`. */
export function parseUploadFields(
  headers: Readonly<Record<string, string | undefined>>,
  query: Readonly<Record<string, string | undefined>>,
): UploadFields {
  const values: Record<string, string> = {}
  for (const field of queryFields) {
    const value = query[field]
    if (value !== undefined && value !== '') values[field] = value
  }
  for (const field of Object.keys(UploadFields.shape)) {
    const value = headers[prefix + field]
    if (value !== undefined && value.trim() !== '')
      values[field] = decodeHeaderText(value.trim(), prefix + field)
  }
  return parseMetadata(UploadFields, values, 'The metadata')
}

/**
 * UTF-8, where any byte may be written as `%` and two hexadecimal digits. Node hands header bytes over as Latin-1,
 * one character a byte, so UTF-8 that a sender wrote unescaped is read right as well.
 */
function decodeHeaderText(value: string, header: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(value)) {
    throw new PbxError('malformed', `A percent sign in ${header} must be written as %25.`)
  }
  const bytes = Buffer.from(
    value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new PbxError('malformed', `${header} is not UTF-8; percent-encode it.`, { cause })
  }
}

/** `sha-256` of RFC 9530 `Repr-Digest`, in hexadecimal; null where it is absent. Throws `PbxError('malformed')`. */
export function parseReprDigest(value: string | undefined): string | null {
  if (value === undefined) return null
  // A structured-field dictionary whose values are byte sequences (RFC 8941): other algorithms are passed over.
  const entries = value.split(',').map(entry => entry.trim())
  const entry = entries.find(text => /^sha-256[ \t]*=/.test(text))
  if (entry === undefined) return null
  const base64 = /^sha-256=:([A-Za-z0-9+/]{43}=):$/.exec(entry)?.[1]
  if (base64 === undefined)
    throw new PbxError('malformed', 'Repr-Digest must read sha-256=:<base64 of 32 bytes>:.')
  return Buffer.from(base64, 'base64').toString('hex')
}
