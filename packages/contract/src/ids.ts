// Identifiers of everything that crosses a wire: branded in types, prefixed in text.
// Text form: three-letter prefix, underscore, 26 lower-case Crockford base32 characters (a ULID:
// 48 bits of Unix milliseconds, then 80 random bits), so ids sort by time and say what they name.
import { z } from 'zod'

const ulid = '[0-7][0-9a-hjkmnp-tv-z]{25}'
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

const id = <Brand extends string>(prefix: string, _brand: Brand) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_${ulid}$`), `expected ${prefix}_ and 26 characters`)
    .brand<Brand>()

export const TenantId = id('ten', 'TenantId')
export type TenantId = z.infer<typeof TenantId>
export const ConnectorId = id('con', 'ConnectorId')
export type ConnectorId = z.infer<typeof ConnectorId>
export const IntakeId = id('int', 'IntakeId')
export type IntakeId = z.infer<typeof IntakeId>
export const RecordingId = id('rec', 'RecordingId')
export type RecordingId = z.infer<typeof RecordingId>
export const MailboxId = id('mbx', 'MailboxId')
export type MailboxId = z.infer<typeof MailboxId>
export const UserId = id('usr', 'UserId')
export type UserId = z.infer<typeof UserId>
export const EventId = id('evt', 'EventId')
export type EventId = z.infer<typeof EventId>
export const TokenId = id('tok', 'TokenId')
export type TokenId = z.infer<typeof TokenId>
export const TeamId = id('tea', 'TeamId')
export type TeamId = z.infer<typeof TeamId>
export const DelegationId = id('del', 'DelegationId')
export type DelegationId = z.infer<typeof DelegationId>
export const GrantId = id('grt', 'GrantId')
export type GrantId = z.infer<typeof GrantId>
export const RoleRequestId = id('rrq', 'RoleRequestId')
export type RoleRequestId = z.infer<typeof RoleRequestId>
export const BreakGlassId = id('bgl', 'BreakGlassId')
export type BreakGlassId = z.infer<typeof BreakGlassId>
export const AlertId = id('alr', 'AlertId')
export type AlertId = z.infer<typeof AlertId>
export const ProviderId = id('idp', 'ProviderId')
export type ProviderId = z.infer<typeof ProviderId>
export const IssuerId = id('iss', 'IssuerId')
export type IssuerId = z.infer<typeof IssuerId>
export const PasskeyId = id('psk', 'PasskeyId')
export type PasskeyId = z.infer<typeof PasskeyId>
export const InvitationId = id('inv', 'InvitationId')
export type InvitationId = z.infer<typeof InvitationId>
export const EmergencyCodeId = id('emc', 'EmergencyCodeId')
export type EmergencyCodeId = z.infer<typeof EmergencyCodeId>
export const AttemptId = id('att', 'AttemptId')
export type AttemptId = z.infer<typeof AttemptId>
export const PatientId = id('pat', 'PatientId')
export type PatientId = z.infer<typeof PatientId>
export const DisclosureId = id('dis', 'DisclosureId')
export type DisclosureId = z.infer<typeof DisclosureId>
export const SuspensionId = id('sus', 'SuspensionId')
export type SuspensionId = z.infer<typeof SuspensionId>
export const ReviewId = id('rvw', 'ReviewId')
export type ReviewId = z.infer<typeof ReviewId>
export const WriterId = id('wri', 'WriterId')
export type WriterId = z.infer<typeof WriterId>
export const LogKeyId = id('lgk', 'LogKeyId')
export type LogKeyId = z.infer<typeof LogKeyId>
export const RuleId = id('rul', 'RuleId')
export type RuleId = z.infer<typeof RuleId>
export const RetentionEventId = id('rev', 'RetentionEventId')
export type RetentionEventId = z.infer<typeof RetentionEventId>
export const RecordSetDecisionId = id('rsd', 'RecordSetDecisionId')
export type RecordSetDecisionId = z.infer<typeof RecordSetDecisionId>
export const HoldId = id('hld', 'HoldId')
export type HoldId = z.infer<typeof HoldId>
export const DispositionId = id('dsp', 'DispositionId')
export type DispositionId = z.infer<typeof DispositionId>
export const CertificateId = id('crt', 'CertificateId')
export type CertificateId = z.infer<typeof CertificateId>
export const DriftRunId = id('dri', 'DriftRunId')
export type DriftRunId = z.infer<typeof DriftRunId>
export const ReportScheduleId = id('sch', 'ReportScheduleId')
export type ReportScheduleId = z.infer<typeof ReportScheduleId>
export const ReportRunId = id('run', 'ReportRunId')
export type ReportRunId = z.infer<typeof ReportRunId>

/** Where a new id takes its time (Unix milliseconds) and its randomness from. */
export interface IdSource {
  readonly now: () => number
  readonly random: (byteLength: number) => Uint8Array
}

const systemSource: IdSource = {
  now: Date.now,
  random: byteLength => crypto.getRandomValues(new Uint8Array(byteLength)),
}

const timeCharacters = 10
const randomCharacters = 16

function newUlid(source: IdSource): string {
  let time = source.now()
  let head = ''
  for (let i = 0; i < timeCharacters; i++) {
    head = alphabet.charAt(time % 32) + head
    time = Math.floor(time / 32)
  }
  let tail = ''
  // Five of each byte's eight random bits: 16 characters carry 80 random bits.
  for (const byte of source.random(randomCharacters)) tail += alphabet.charAt(byte & 31)
  return head + tail
}

const minted = <Id extends string>(prefix: string) => {
  return (source: IdSource = systemSource): Id => `${prefix}_${newUlid(source)}` as Id
}

/**
 * Of one millisecond each that this process mints is greater than the one before it: what was done one after the other is
 * read so. What a given source gives is as it is.
 */
function inOrder<Id extends string>(mint: (source?: IdSource) => Id): (source?: IdSource) => Id {
  let last = ''
  return source => {
    const made = mint(source)
    if (source !== undefined) return made
    const isOfSameTime = made.slice(0, -randomCharacters) === last.slice(0, -randomCharacters)
    last = isOfSameTime && made <= last ? next(last) : made
    return last as Id
  }
}

/** One more, as a number of base 32; past the greatest of its millisecond, the first of it. */
function next(id: string): string {
  const head = id.slice(0, -randomCharacters)
  const tail = [...id.slice(-randomCharacters)]
  for (let at = tail.length - 1; at >= 0; at--) {
    const digit = alphabet.indexOf(tail[at] ?? '')
    tail[at] = alphabet.charAt((digit + 1) % 32)
    if (digit !== 31) break
  }
  return head + tail.join('')
}

export const newTenantId = minted<TenantId>('ten')
export const newConnectorId = minted<ConnectorId>('con')
export const newIntakeId = minted<IntakeId>('int')
export const newRecordingId = minted<RecordingId>('rec')
export const newMailboxId = minted<MailboxId>('mbx')
export const newUserId = minted<UserId>('usr')
export const newEventId = inOrder(minted<EventId>('evt'))
export const newTokenId = minted<TokenId>('tok')
export const newTeamId = minted<TeamId>('tea')
export const newDelegationId = minted<DelegationId>('del')
export const newGrantId = minted<GrantId>('grt')
export const newRoleRequestId = minted<RoleRequestId>('rrq')
export const newBreakGlassId = minted<BreakGlassId>('bgl')
export const newAlertId = minted<AlertId>('alr')
export const newProviderId = minted<ProviderId>('idp')
export const newIssuerId = minted<IssuerId>('iss')
export const newPasskeyId = minted<PasskeyId>('psk')
export const newInvitationId = minted<InvitationId>('inv')
export const newEmergencyCodeId = minted<EmergencyCodeId>('emc')
export const newAttemptId = minted<AttemptId>('att')
export const newPatientId = minted<PatientId>('pat')
export const newDisclosureId = minted<DisclosureId>('dis')
export const newSuspensionId = minted<SuspensionId>('sus')
export const newReviewId = minted<ReviewId>('rvw')
export const newWriterId = minted<WriterId>('wri')
export const newLogKeyId = minted<LogKeyId>('lgk')
export const newRuleId = minted<RuleId>('rul')
export const newRetentionEventId = minted<RetentionEventId>('rev')
export const newRecordSetDecisionId = minted<RecordSetDecisionId>('rsd')
export const newHoldId = minted<HoldId>('hld')
export const newDispositionId = minted<DispositionId>('dsp')
export const newCertificateId = minted<CertificateId>('crt')
export const newDriftRunId = minted<DriftRunId>('dri')
export const newReportScheduleId = minted<ReportScheduleId>('sch')
export const newReportRunId = minted<ReportRunId>('run')
