// How the emulated service refuses: gRPC codes with the service's own sentences, and when to come again.
import { status as Code, Metadata, type ServiceError } from '@grpc/grpc-js'

export { Code }

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: Code
  readonly retryAfterSeconds: number | null
  constructor(code: Code, message: string, retryAfterSeconds: number | null = null) {
    super(message)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export const notFound = (name: string): Refusal => new Refusal(Code.NOT_FOUND, `${name} not found.`)
export const invalid = (message: string): Refusal => new Refusal(Code.INVALID_ARGUMENT, message)
export const failedPrecondition = (message: string): Refusal => new Refusal(Code.FAILED_PRECONDITION, message)
export const denied = (permission: string, resource: string): Refusal =>
  new Refusal(
    Code.PERMISSION_DENIED,
    `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`,
  )
export const unauthenticated = (): Refusal =>
  new Refusal(
    Code.UNAUTHENTICATED,
    'Request had invalid authentication credentials. Expected OAuth 2 access token.',
  )

/** What a handler hands to gRPC. The details are a `google.rpc.Status` with a `RetryInfo`, as the service sends them. */
export function serviceErrorOf(error: unknown): Partial<ServiceError> {
  if (!(error instanceof Refusal)) return { code: Code.INTERNAL, details: String(error) }
  const { code, message, retryAfterSeconds } = error
  if (retryAfterSeconds === null) return { code, details: message }
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', statusWithRetryInfo(code, message, retryAfterSeconds))
  return { code, details: message, metadata }
}

function statusWithRetryInfo(code: number, message: string, retryAfterSeconds: number): Buffer {
  const seconds = Math.floor(retryAfterSeconds)
  const nanos = Math.round((retryAfterSeconds - seconds) * 1e9)
  const delay = Buffer.concat([number(1, seconds), number(2, nanos)])
  const any = Buffer.concat([
    bytes(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    bytes(2, bytes(1, delay)),
  ])
  return Buffer.concat([number(1, code), bytes(2, Buffer.from(message)), bytes(3, any)])
}

// The two kinds of field of the protocol buffers encoding that are needed.
const number = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)])
const bytes = (field: number, value: Buffer): Buffer =>
  Buffer.concat([varint((field << 3) | 2), varint(value.length), value])

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return Buffer.from([...out, rest])
}
