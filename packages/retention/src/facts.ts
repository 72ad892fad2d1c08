// What is known of one recording when the rules are asked how long to keep it.
import type { Label, MailboxId, RecordingKind, RecordSet, RetentionEventKind } from '@auricle/contract'

export interface RetentionFacts {
  readonly kind: RecordingKind
  readonly mailboxId: MailboxId | null
  readonly labels: readonly Label[]
  /** As the PBX says. */
  readonly startedAt: Date | null
  /** By our own clock. */
  readonly receivedAt: Date
  /** The start and the recording's length; null where one of the two is not known. */
  readonly endedAt: Date | null
  /** The patient's, `YYYY-MM-DD`; null where there is no patient or it is not known. */
  readonly birthDate: string | null
  /** Of the recording and of its patient, without those that were withdrawn; in any order. */
  readonly events: readonly { readonly kind: RetentionEventKind; readonly at: Date }[]
  readonly recordSet: RecordSet
  /** What the tenant's minimum came to when it was archived. */
  readonly floor: Date
  /** What a store has locked it until, for good; null where nothing is locked. */
  readonly lockedUntil: Date | null
}
