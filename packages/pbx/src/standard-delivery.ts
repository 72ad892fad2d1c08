// The sender's side of the `standard` connector: signs a body, and makes the multipart request of a recording.
import { randomUUID } from 'node:crypto'
import type { StandardEvent } from './standard-metadata.ts'
import { isWebhookId, signedMac } from './standard-signature.ts'

export interface SignOptions {
  /** Stays the same over retries of one delivery. 1 to 256 visible ASCII characters without a dot. */
  readonly id: string
  readonly timestamp: Date
  /** `whsec_` and base64. */
  readonly secret: string
}

/** The three headers that carry the signature. */
export type StandardHeaders = Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>

const millisecondsPerSecond = 1000

/** Signs a body that is at hand, as Standard Webhooks 1.0 says. Throws `RangeError` on a bad id or secret. */
export function signStandard({
  body,
  ...options
}: SignOptions & { readonly body: Uint8Array | string }): StandardHeaders {
  const { mac, headersOf } = startSigning(options)
  return headersOf(mac.update(body).digest('base64'))
}

/** Signs a body by reading it once. */
export async function signStandardStream(
  { body, ...signing }: SignOptions & { readonly body: AsyncIterable<Uint8Array> },
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StandardHeaders> {
  const { mac, headersOf } = startSigning(signing)
  for await (const chunk of body) {
    options.signal?.throwIfAborted()
    mac.update(chunk)
  }
  return headersOf(mac.digest('base64'))
}

function startSigning({ id, timestamp, secret }: SignOptions) {
  if (!isWebhookId(id))
    throw new RangeError('A webhook id is 1 to 256 visible ASCII characters without a dot.')
  const seconds = String(Math.floor(timestamp.getTime() / millisecondsPerSecond))
  return {
    mac: signedMac(id, seconds, secret),
    headersOf: (signature: string): StandardHeaders => ({
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${signature}`,
    }),
  }
}

export interface StandardDeliveryInput {
  readonly metadata: StandardEvent
  /** Bytes at hand, or a function that reads the same bytes again: once to sign, once to send. */
  readonly audio: Uint8Array | (() => AsyncIterable<Uint8Array>)
  readonly contentType: string
  /** Helps to tell raw codecs apart by its extension. */
  readonly fileName: string
  readonly secret: string
  /** Default: a fresh UUID. Give the same one when a delivery is tried again. */
  readonly id?: string | undefined
  /** Default: now. The receiver takes 300 seconds to either side. */
  readonly timestamp?: Date | undefined
}

export interface StandardDelivery {
  /** All the request needs, `content-length` included. */
  readonly headers: Readonly<Record<string, string>>
  readonly contentLength: number
  /** The bytes to send, once. Throws `RangeError` if the audio is not as long as it was when it was signed. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Makes the signed multipart request that hands over one recording with its metadata. */
export async function createStandardDelivery(
  input: StandardDeliveryInput,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StandardDelivery> {
  const { audio, secret, id = randomUUID(), timestamp = new Date() } = input
  const boundary = `auricle-${randomUUID()}`
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n` +
      `${JSON.stringify(input.metadata)}\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="audio"; filename="${fieldText(input.fileName)}"\r\n` +
      `Content-Type: ${headerText(input.contentType)}\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const readAudio = typeof audio === 'function' ? audio : () => once(audio)

  let audioBytes = 0
  async function* signedBody() {
    yield head
    for await (const chunk of readAudio()) {
      audioBytes += chunk.byteLength
      yield chunk
    }
    yield tail
  }
  const signature = await signStandardStream({ id, timestamp, secret, body: signedBody() }, options)
  const contentLength = head.length + audioBytes + tail.length

  async function* sentBody() {
    yield head
    let sentBytes = 0
    for await (const chunk of readAudio()) {
      options.signal?.throwIfAborted()
      sentBytes += chunk.byteLength
      if (sentBytes > audioBytes) break
      yield chunk
    }
    if (sentBytes !== audioBytes) throw new RangeError('The audio changed while it was being delivered.')
    yield tail
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(contentLength),
      ...signature,
    },
    contentLength,
    body: sentBody(),
  }
}

async function* once(bytes: Uint8Array) {
  yield bytes
}

/** As browsers write it (HTML, multipart/form-data encoding): a quote or line break cannot end the field. */
function fieldText(text: string): string {
  return text.replace(/[\r\n"]/g, character => encodeURIComponent(character)).replace(/\\/g, '_')
}

function headerText(text: string): string {
  if (/[\r\n]/.test(text)) throw new RangeError('A content type is one line.')
  return text
}
