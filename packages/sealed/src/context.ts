// What a sealed object says about itself in clear and is bound to: never personal data.
import { malformed, SealedError } from './error.ts'

/**
 * `tenant`, `recording` and `role` are opaque identifiers of 1 to 128 characters, `contentType` 1 to 255,
 * `createdAt` RFC 3339 in UTC (`...Z`). All readable without a key, so they must not say anything of a person.
 */
export interface SealContext {
  readonly tenant: string
  readonly recording: string
  readonly role: string
  readonly contentType: string
  readonly createdAt: string
}

/** Which recording of whom; the identifiers are as in `SealContext`. */
export type RecordingIdentity = Pick<SealContext, 'tenant' | 'recording'>

/** Whose object the caller asked for: checked against the object before any key is asked for. */
export type ExpectedContext = Pick<SealContext, 'tenant' | 'recording' | 'role'>

const identifierMost = 128
const contentTypeMost = 255
const utcTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

const isText = (value: unknown, charactersMost: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= charactersMost && value.isWellFormed()

type Members = Partial<Record<string, unknown>>

/** Reads a context out of parsed JSON. Throws `malformed`. Members beyond the five are left behind. */
export function parseContext(value: unknown): SealContext {
  if (typeof value !== 'object' || value === null) throw malformed('context is no object')
  const { role, contentType, createdAt } = value as Members
  const { tenant, recording } = parseIdentity(value)
  if (!isText(role, identifierMost)) throw malformed('context.role')
  if (!isText(contentType, contentTypeMost)) throw malformed('context.contentType')
  if (typeof createdAt !== 'string' || !utcTime.test(createdAt)) throw malformed('context.createdAt')
  return { tenant, recording, role, contentType, createdAt }
}

/** Throws `malformed`. */
export function parseIdentity({ tenant, recording }: Members): RecordingIdentity {
  if (!isText(tenant, identifierMost)) throw malformed('context.tenant')
  if (!isText(recording, identifierMost)) throw malformed('context.recording')
  return { tenant, recording }
}

/** Throws `wrong_context` unless the object is the one that was asked for. */
export function checkContext(context: SealContext, expect: ExpectedContext): void {
  for (const name of ['tenant', 'recording', 'role'] as const) {
    if (context[name] !== expect[name]) {
      throw new SealedError('wrong_context', `The sealed object is of another ${name}`)
    }
  }
}
