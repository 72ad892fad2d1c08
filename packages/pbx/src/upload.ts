// The `upload` connector: `PUT` of the raw file with a token, as FreeSWITCH, curl and scripts send it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Notice } from '@auricle/contract'
import { z } from 'zod'
import type { DeliveryRequest, OpenOptions, PbxConnector, ProvenBy } from './connector.ts'
import { PbxError } from './error.ts'
import { declaredType, plainFileName, sha256Text, sourceIdText, toNotice } from './notice-text.ts'
import { refuseContentEncoding } from './standard.ts'
import { parseReprDigest, parseUploadFields } from './upload-header.ts'

const maxTokens = 8
const newTokenBytes = 32
const maxAuthorizationLength = 2048
const credentialsForm = /^(basic|bearer)[ ]+([^ ]+)[ ]*$/i

export const UploadSecrets = z.strictObject({
  /** SHA-256 of each valid token, hexadecimal. A token is 256 random bits, so a plain hash keeps it. */
  tokenSha256: z.array(sha256Text).min(1).max(maxTokens),
})
export type UploadSecrets = z.infer<typeof UploadSecrets>

export const upload: PbxConnector<UploadSecrets> = {
  kind: 'upload',
  parseSecrets: value => UploadSecrets.parse(value),
  newSecrets() {
    // base64url: it can stand in the userinfo of a URL as it is.
    const token = randomBytes(newTokenBytes).toString('base64url')
    return { secrets: { tokenSha256: [sha256(token).toString('hex')] }, shown: token }
  },
  async open(request, secrets, { previous, signal }) {
    signal?.throwIfAborted()
    const proven = authenticate(request, secrets, previous)
    if (request.method !== 'PUT')
      throw new PbxError('malformed', 'This connector takes PUT with the name of the recording.')
    refuseContentEncoding(request)
    const notice = parseUpload(request)
    return {
      type: 'audio',
      sourceId: notice.sourceId,
      audio: nonEmpty(request.body, signal),
      notice: () => notice,
      provenBy: () => proven,
    }
  },
}

function authenticate(
  request: DeliveryRequest,
  secrets: UploadSecrets,
  previous: OpenOptions<UploadSecrets>['previous'],
): ProvenBy {
  const presented = sha256(presentedToken(request.headers['authorization']) ?? '')
  const isCurrent = isOneOf(secrets, presented)
  const isPrevious = previous !== undefined && isOneOf(previous.secrets, presented)
  if (isCurrent) return 'current'
  if (isPrevious && previous.holds()) return 'previous'
  throw new PbxError(
    'bad_signature',
    'Send the token as Authorization: Bearer, or as the password of Authorization: Basic.',
  )
}

function isOneOf({ tokenSha256 }: UploadSecrets, presented: Buffer): boolean {
  let valid = false
  for (const digest of tokenSha256) {
    // No early exit: the time taken does not depend on which token it was.
    valid = timingSafeEqual(presented, Buffer.from(digest, 'hex')) || valid
  }
  return valid
}

function presentedToken(header: string | undefined): string | null {
  if (header === undefined || header.length > maxAuthorizationLength) return null
  const [, scheme, credentials] = credentialsForm.exec(header) ?? []
  if (scheme === undefined || credentials === undefined) return null
  if (scheme.toLowerCase() === 'bearer') return credentials
  // RFC 7617: `user:password`; the user is of no interest here.
  const pair = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon === -1 ? null : pair.slice(colon + 1)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}

function parseUpload({ headers, query, name }: DeliveryRequest): Notice {
  const fields = parseUploadFields(headers, query)
  const named = name === null ? undefined : sourceIdText.safeParse(name).data
  const sourceId = fields['source-id'] ?? named
  if (sourceId === undefined)
    throw new PbxError('malformed', 'The recording needs a name of 1 to 512 characters in the address.')
  return toNotice({
    sourceId,
    kind: fields.kind ?? 'recording',
    mailbox: fields.mailbox ?? null,
    direction: fields.direction ?? null,
    from: fields.from ?? null,
    fromName: fields['from-name'] ?? null,
    to: fields.to ?? null,
    patientReference: fields['patient-reference'] ?? null,
    note: null,
    startedAt: fields['started-at'] ?? null,
    contentType: declaredType(headers['content-type']),
    fileName: plainFileName(name),
    declaredBytes: declaredBytes(headers['content-length']),
    declaredSha256: declaredSha256(fields.sha256 ?? null, parseReprDigest(headers['repr-digest'])),
    audioUrl: null,
  })
}

/** Null under chunked transfer, where nobody declared a length. */
function declaredBytes(contentLength: string | undefined): number | null {
  if (contentLength === undefined) return null
  const bytes = /^[0-9]{1,15}$/.test(contentLength) ? Number(contentLength) : Number.NaN
  if (Number.isNaN(bytes)) throw new PbxError('malformed', 'Content-Length is not a number of bytes.')
  if (bytes === 0) throw new PbxError('empty_body', 'The delivery has no audio.')
  return bytes
}

function declaredSha256(field: string | null, digest: string | null): string | null {
  if (field !== null && digest !== null && field !== digest) {
    throw new PbxError('malformed', 'X-Auricle-Sha256 and Repr-Digest name different digests.')
  }
  return field ?? digest
}

async function* nonEmpty(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  let empty = true
  for await (const chunk of body) {
    signal?.throwIfAborted()
    empty &&= chunk.byteLength === 0
    yield chunk
  }
  if (empty) throw new PbxError('empty_body', 'The delivery has no audio.')
}
