// The `standard` connector: Standard Webhooks over the raw body, JSON with an audio URL or multipart with the audio.
import { randomBytes } from 'node:crypto'
import type { Notice } from '@auricle/contract'
import { z } from 'zod'
import type { Delivery, DeliveryRequest, PbxConnector } from './connector.ts'
import { parseParameterized } from './content-type.ts'
import { PbxError } from './error.ts'
import { multipartBoundary, readMultipart } from './multipart.ts'
import { parseStandardEvent } from './standard-metadata.ts'
import {
  type BodyVerifier,
  bodyVerifier,
  formatSigningSecret,
  parseSignatureHeaders,
  signingKey,
} from './standard-signature.ts'

const maxSecrets = 8
const newSecretBytes = 32
const maxMetadataBytes = 256 * 1024
/** Parts that nobody reads, together. */
const maxUnreadBytes = 64 * 1024

export const StandardSecrets = z.strictObject({
  /** Each valid on its own, so that a sender can move from one to the next. */
  secrets: z.array(z.string().refine(isSigningSecret, 'is no signing secret')).min(1).max(maxSecrets),
})
export type StandardSecrets = z.infer<typeof StandardSecrets>

export const standard: PbxConnector<StandardSecrets> = {
  kind: 'standard',
  parseSecrets: value => StandardSecrets.parse(value),
  newSecrets() {
    const secret = formatSigningSecret(randomBytes(newSecretBytes))
    return { secrets: { secrets: [secret] }, shown: secret }
  },
  async open(request, { secrets }, { now, previous, signal }) {
    signal?.throwIfAborted()
    if (request.method !== 'POST') throw new PbxError('malformed', 'This connector takes POST.')
    const signature = parseSignatureHeaders(request.headers, now)
    const messageId = signature.id
    const verifier = bodyVerifier(signature, secrets, {
      secrets: previous?.secrets.secrets ?? [],
      holds: () => previous?.holds() ?? false,
    })
    const proof = { messageId, provenBy: verifier.provenBy }
    refuseContentEncoding(request)
    const contentType = request.headers['content-type'] ?? ''
    const boundary = multipartBoundary(contentType)
    if (boundary !== null) return { ...openMultipart(request.body, boundary, verifier, signal), ...proof }
    if (parseParameterized(contentType)?.value === 'application/json') {
      return { type: 'remote', notice: await readRemoteNotice(request.body, verifier, signal), ...proof }
    }
    throw new PbxError(
      'malformed',
      'Content-Type must be application/json, or multipart/form-data with a boundary.',
    )
  },
}

function isSigningSecret(secret: string): boolean {
  try {
    return signingKey(secret).length > 0
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The signature covers the bytes as sent; unpacking them first would be a second, unsigned, reading. */
export function refuseContentEncoding(request: DeliveryRequest): void {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') {
    throw new PbxError('malformed', 'Content-Encoding is not accepted; send the body as it is.')
  }
}

async function readRemoteNotice(
  body: AsyncIterable<Uint8Array>,
  verifier: BodyVerifier,
  signal: AbortSignal | undefined,
): Promise<Notice> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    signal?.throwIfAborted()
    bytes += chunk.byteLength
    if (bytes > maxMetadataBytes) throw new PbxError('too_large', 'The JSON is larger than 256 KiB.')
    verifier.update(chunk)
    chunks.push(chunk)
  }
  verifier.verify()
  if (bytes === 0) throw new PbxError('empty_body', 'The delivery has no body.')
  return parseStandardEvent(Buffer.concat(chunks), null)
}

/** The body is read only as far as whoever takes the audio asks for it. */
function openMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  verifier: BodyVerifier,
  signal: AbortSignal | undefined,
): Delivery {
  let notice: Notice | null = null
  async function* audio() {
    notice = yield* readDelivery(body, boundary, verifier, signal)
  }
  return {
    type: 'audio',
    // The metadata is in the body: before the end of the body nobody has vouched for the id.
    sourceId: null,
    audio: audio(),
    notice() {
      if (notice === null) throw new TypeError('The notice is known only after the audio has ended.')
      return notice
    },
  }
}

async function* readDelivery(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  verifier: BodyVerifier,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, Notice, undefined> {
  await using signed = signedBody(body, verifier, signal)
  let form: Form | null = null
  let refusal: PbxError | null = null
  try {
    form = yield* readForm(readMultipart(signed.chunks(), boundary))
  } catch (error) {
    if (signed.hasFailed() || !(error instanceof PbxError)) throw error
    refusal = error
  }
  // A form that cannot be read may be one that was tampered with: only the signature over the whole body tells.
  for await (const _ of signed.chunks());
  verifier.verify()
  if (form === null) throw refusal
  return noticeOf(form)
}

/** The body, shown to the verifier as it is read; disposing of it before its end stops the sender's stream. */
function signedBody(
  body: AsyncIterable<Uint8Array>,
  verifier: BodyVerifier,
  signal: AbortSignal | undefined,
) {
  const iterator = body[Symbol.asyncIterator]()
  let state: 'arriving' | 'complete' | 'failed' = 'arriving'
  return {
    /** Another call goes on where the one before stopped. */
    async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      while (state === 'arriving') {
        state = 'failed'
        const next = await iterator.next()
        signal?.throwIfAborted()
        state = next.done === true ? 'complete' : 'arriving'
        if (next.done === true) return
        verifier.update(next.value)
        yield next.value
      }
    },
    /** Whether the body itself could not be read, or reading was aborted. */
    hasFailed: () => state === 'failed',
    async [Symbol.asyncDispose]() {
      if (state !== 'complete') await iterator.return?.()
    },
  }
}

interface Form {
  readonly metadata: Uint8Array | null
  readonly audio: { readonly contentType: string | null; readonly fileName: string | null } | null
  readonly audioBytes: number
}

/** Yields the bytes of the part `audio`, keeps those of `metadata`, and reads over a bounded rest. */
async function* readForm(
  events: ReturnType<typeof readMultipart>,
): AsyncGenerator<Uint8Array, Form, undefined> {
  let current = ''
  let metadata: Uint8Array[] | null = null
  let metadataBytes = 0
  let audio: Form['audio'] = null
  let audioBytes = 0
  let unreadBytes = 0
  for await (const event of events) {
    if (event.type === 'part') {
      current = event.header.name
      if (current === 'metadata') {
        if (metadata !== null) throw new PbxError('malformed', 'The part metadata comes twice.')
        metadata = []
      } else if (current === 'audio') {
        if (audio !== null) throw new PbxError('malformed', 'The part audio comes twice.')
        audio = event.header
      }
    } else if (current === 'audio') {
      audioBytes += event.bytes.byteLength
      yield event.bytes
    } else if (current === 'metadata') {
      metadataBytes += event.bytes.byteLength
      if (metadataBytes > maxMetadataBytes)
        throw new PbxError('malformed', 'The part metadata is larger than 256 KiB.')
      // A view would keep the whole chunk of audio behind it alive.
      metadata?.push(Uint8Array.from(event.bytes))
    } else {
      unreadBytes += event.bytes.byteLength
      if (unreadBytes > maxUnreadBytes) {
        throw new PbxError('malformed', 'Parts other than metadata and audio are larger than 64 KiB.')
      }
    }
  }
  return { metadata: metadata === null ? null : Buffer.concat(metadata), audio, audioBytes }
}

function noticeOf(form: Form): Notice {
  if (form.metadata === null)
    throw new PbxError('malformed', 'The multipart body has no part named metadata.')
  if (form.audio === null) throw new PbxError('malformed', 'The multipart body has no part named audio.')
  if (form.audioBytes === 0) throw new PbxError('empty_body', 'The part audio is empty.')
  return parseStandardEvent(form.metadata, form.audio)
}
