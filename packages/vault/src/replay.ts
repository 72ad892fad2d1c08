// Whether a signed message came before, with other content: an id that its sender signs is one message and no second.
//
// Two-phase: it is looked up before the commit and noted after it, so that a crash in between leaves no claim behind
// which would turn the retry into a repetition. Two with one id at the same instant may both pass; what is kept twice is
// still for the catalog to say. While nobody knows what was seen, deliveries go on for the same reason.
import { createHash } from 'node:crypto'
import type { Notice, RecordingId } from '@auricle/contract'
import type { Limits } from '@auricle/limits'
import type { CallOptions } from '@auricle/sealed'
import type { OpenConnector } from './connector-secrets.ts'
import { isError, VaultError } from './error.ts'

/** A signed timestamp is taken from five minutes before its time to five after it. */
const windowMs = 10 * 60_000

export interface SeenMessage {
  readonly id: string
  readonly notice: Notice
  /** SHA-256 of the audio; null where it is to be fetched. */
  readonly audioSha256: Uint8Array | null
}

type Seen = Pick<Limits, 'seen' | 'remember'>

/** Throws `message_conflict` where the id came before with other content. */
export async function refuseReplay(
  limits: Seen,
  connector: OpenConnector,
  message: SeenMessage,
  options: CallOptions,
): Promise<void> {
  const seen = await unlessAway(limits.seen(messageKey(connector, message), options))
  if (seen === null || seen.startsWith(`${contentOf(connector, message)}:`)) return
  throw new VaultError('message_conflict', 'This message id was delivered before with other content')
}

/** Call it after the commit. */
export async function noteMessage(
  limits: Seen,
  connector: OpenConnector,
  message: SeenMessage,
  recordingId: RecordingId,
  options: CallOptions,
): Promise<void> {
  const value = `${contentOf(connector, message)}:${recordingId}`
  await unlessAway(limits.remember(messageKey(connector, message), value, windowMs, options))
}

function messageKey({ row }: OpenConnector, { id }: SeenMessage): string {
  return `message:${row.tenantId}:${row.id}:${id}`
}

/** Of what was said and not of how: a sender that tries again may draw another boundary for its multipart body. */
function contentOf(connector: OpenConnector, { notice, audioSha256 }: SeenMessage): string {
  const digest = createHash('sha256').update(JSON.stringify(notice))
  if (audioSha256 !== null) digest.update('\0').update(audioSha256)
  return Buffer.from(connector.contentMac(digest.digest())).toString('base64url')
}

async function unlessAway<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked
  } catch (error) {
    if (isError(error, 'LimitsError', 'unavailable')) return null
    throw error
  }
}
