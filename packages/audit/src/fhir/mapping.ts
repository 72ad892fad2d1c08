// What each action of the log is in FHIR: type, subtypes, action code, the family of BALP profiles. docs/fhir.md has
// the same table, and a test holds them together.
import type { AuditEvent, EventAction } from '../event.ts'
import { dcm, interaction, lifecycle, reason, record, rest } from './codes.ts'
import type { Coding, FhirAction } from './resource.ts'

/** Profiles of IHE BALP that differ only in whether a patient is known. */
export type Family = 'Create' | 'Read' | 'Update' | 'Delete' | 'Query' | 'Disclosure'

export interface Mapping {
  readonly type: Coding
  readonly subtypes: readonly Coding[]
  readonly action: FhirAction
  /** Which shape the agents and entities have; null: none that IHE has profiled. */
  readonly family: Family | null
  /** What became of the object. */
  readonly lifecycle: Coding | null
  /** Why, where the action itself says so. */
  readonly purpose: Coding | null
}

type More = Partial<Pick<Mapping, 'action' | 'lifecycle' | 'purpose'>>
const plain = { action: 'E', family: null, lifecycle: null, purpose: null } as const

const families = {
  Create: { action: 'C', subtype: interaction.create, lifecycle: lifecycle.origination },
  Read: { action: 'R', subtype: interaction.read, lifecycle: lifecycle.access },
  Update: { action: 'U', subtype: interaction.update, lifecycle: lifecycle.amendment },
  Delete: { action: 'D', subtype: interaction.delete, lifecycle: lifecycle.erasure },
  Query: { action: 'E', subtype: interaction.search, lifecycle: null },
} as const

function restful(family: keyof typeof families, also: readonly Coding[] = [], more: More = {}): Mapping {
  const { action, subtype, lifecycle } = families[family]
  return { ...plain, type: rest, subtypes: [subtype, ...also], action, family, lifecycle, ...more }
}

function other(type: Coding, subtypes: readonly Coding[], more: More = {}): Mapping {
  return { ...plain, type, subtypes, ...more }
}

const searched = restful('Query')
const signedIn = other(dcm.userAuthentication, [dcm.login])
const signedOut = other(dcm.userAuthentication, [dcm.logout])
const userChanged = other(dcm.securityAlert, [dcm.userSecurityChanged])
const rolesChanged = other(dcm.securityAlert, [dcm.rolesChanged])
const objectChanged = other(dcm.securityAlert, [dcm.objectSecurityChanged])
const configured = other(dcm.securityAlert, [dcm.securityConfiguration])
const logUsed = other(dcm.auditLogUsed, [record.access], { action: 'R', lifecycle: lifecycle.access })
const logReported = other(dcm.auditLogUsed, [record.report], { action: 'R', lifecycle: lifecycle.report })
const disclosed: Mapping = {
  ...other(dcm.export, [record.disclose], { action: 'R', lifecycle: lifecycle.disclosure }),
  family: 'Disclosure',
}

const mappings = {
  'delivery.received': restful('Create', [record.receive]),
  'delivery.refused': restful('Create', [record.receive]),
  'recording.archived': restful('Create', [record.originate]),
  'recording.quarantined': restful('Create', [record.originate]),
  'recording.replicated': other(record.transmit, [record.archive], {
    action: 'C',
    lifecycle: lifecycle.archiving,
  }),
  'recording.listed': searched,
  'recording.shown': restful('Read', [record.access]),
  'recording.played': restful('Read', [record.access]),
  'recording.served': restful('Read', [record.access]),
  'recording.cut': restful('Read', [record.access]),
  'recording.exported': other(dcm.export, [record.extract], { action: 'R', lifecycle: lifecycle.export }),
  'recording.marked': restful('Update'),
  'recording.labelled': restful('Update', [dcm.objectSecurityChanged]),
  'recording.disposed': restful('Delete', [record.destroy], { purpose: reason.records }),
  'recording.restored': other(record.restore, [], { action: 'C', purpose: reason.records }),
  'recording.destroying': restful('Delete', [record.destroy], { purpose: reason.records }),
  'hold.placed': restful('Update', [record.hold], { purpose: reason.legal }),
  'hold.extended': restful('Update', [record.hold], { purpose: reason.legal }),
  'hold.released': restful('Update', [record.unhold], { purpose: reason.legal }),
  'hold.cover_released': restful('Update', [record.unhold], { purpose: reason.legal }),
  'hold.acknowledged': restful('Update', [record.attest], { purpose: reason.legal }),
  'hold.listed': searched,
  'retention.rule_proposed': configured,
  'retention.rule_approved': configured,
  'retention.rule_withdrawn': configured,
  'retention.settings_changed': configured,
  'retention.listed': searched,
  'retention.previewed': searched,
  'retention.shown': restful('Read', [record.access]),
  'retention.applied': restful('Update', [], { purpose: reason.records }),
  'retention.event_recorded': restful('Create', [], { purpose: reason.records }),
  'retention.event_withdrawn': restful('Delete', [], { purpose: reason.records }),
  'retention.birth_date_recorded': restful('Update', [], { purpose: reason.records }),
  'record_set.decided': restful('Update', [], { purpose: reason.records }),
  'record_set.listed': searched,
  'disposition.proposed': restful('Create', [], { purpose: reason.records }),
  'disposition.reviewed': restful('Update', [record.attest], { purpose: reason.records }),
  'disposition.cancelled': restful('Update', [], { purpose: reason.records }),
  'disposition.stopped': restful('Update', [record.hold], { purpose: reason.legal }),
  'disposition.listed': searched,
  'certificate.issued': restful('Create', [record.attest], { purpose: reason.records }),
  'certificate.shown': restful('Read', [record.access]),
  'store.followed': other(dcm.applicationActivity, []),
  'store.shortened': other(dcm.securityAlert, []),
  'store.drifted': other(dcm.securityAlert, [record.verify]),
  'store.refused': other(dcm.securityAlert, []),
  'vault.verified': other(record.verify, [], {
    action: 'R',
    lifecycle: lifecycle.verification,
    purpose: reason.records,
  }),
  'key.used': other(record.decrypt, []),

  'session.opened': signedIn,
  'session.refused': signedIn,
  'session.verified': signedIn,
  'session.ended': signedOut,
  'session.listed': searched,
  'factor.used': signedIn,
  'emergency_code.used': signedIn,
  'token.refused': signedIn,
  'token.issued': userChanged,
  'token.revoked': userChanged,
  'token.listed': searched,

  'user.created': userChanged,
  'user.invited': userChanged,
  'user.joined': userChanged,
  'user.renamed': userChanged,
  'user.disabled': userChanged,
  'user.enabled': userChanged,
  'user.factors_reset': userChanged,
  'factor.added': userChanged,
  'factor.changed': userChanged,
  'factor.removed': userChanged,
  'emergency_code.issued': userChanged,
  'emergency_code.revoked': userChanged,
  'people.listed': searched,
  'role.requested': rolesChanged,
  'role.granted': rolesChanged,
  'role.refused': rolesChanged,
  'role.withdrawn': rolesChanged,
  'role.revoked': rolesChanged,
  'role.listed': searched,
  'recertification.read': searched,

  'mailbox.created': objectChanged,
  'mailbox.assigned': objectChanged,
  'mailbox.released': objectChanged,
  'team.created': objectChanged,
  'team.changed': objectChanged,
  'team.listed': searched,
  'delegation.created': objectChanged,
  'delegation.ended': objectChanged,
  'delegation.listed': searched,

  'break_glass.started': other(dcm.securityAlert, [dcm.emergencyStarted], { purpose: reason.breakGlass }),
  'break_glass.ended': other(dcm.securityAlert, [dcm.emergencyStopped], { purpose: reason.breakGlass }),
  'break_glass.reviewed': other(dcm.securityAlert, [record.attest], { purpose: reason.breakGlass }),
  'break_glass.listed': searched,
  'alert.raised': other(dcm.securityAlert, []),
  'alert.acknowledged': other(dcm.securityAlert, [record.attest]),
  'alert.listed': searched,

  'tenant.created': configured,
  'tenant.changed': configured,
  'tenant.shown': restful('Read'),
  'connector.created': configured,
  'connector.rotated': configured,
  'connector.disabled': configured,
  'connector.listed': searched,
  'provider.created': configured,
  'provider.changed': configured,
  'provider.disabled': configured,
  'provider.listed': searched,
  'issuer.created': configured,
  'issuer.changed': configured,
  'issuer.disabled': configured,
  'issuer.listed': searched,

  'log.opened': other(dcm.applicationActivity, [dcm.auditStarted]),
  'log.checkpoint': other(dcm.applicationActivity, [record.attest]),
  'log.reconciled': other(dcm.applicationActivity, [record.merge]),
  'log.degraded': other(dcm.applicationActivity, [dcm.auditStopped]),
  'log.restored': other(dcm.applicationActivity, [dcm.auditStarted]),
  'log.searched': logUsed,
  'log.shown': logUsed,
  'log.proved': logUsed,
  'log.followed': logUsed,
  'log.exported': other(dcm.auditLogUsed, [record.extract], { action: 'R', lifecycle: lifecycle.export }),
  'private_part.dropped': other(dcm.auditLogUsed, [record.destroy], {
    action: 'D',
    lifecycle: lifecycle.erasure,
  }),
  'writer.started': other(dcm.applicationActivity, [dcm.applicationStart]),
  'writer.heartbeat': other(dcm.applicationActivity, []),
  'writer.stopped': other(dcm.applicationActivity, [dcm.applicationStop]),

  'report.access': logReported,
  'report.disclosures': logReported,
  'report.retention': logReported,
  'report.scheduled': configured,
  'report.unscheduled': configured,
  'report.sent': logReported,
  'report.listed': searched,
  'disclosure.recorded': disclosed,
  'disclosure.listed': searched,
  'disclosure.suspended': restful('Update', [record.hold], { purpose: reason.legal }),
  'disclosure.resumed': restful('Update', [record.unhold], { purpose: reason.legal }),
  'review.opened': logReported,
  'review.listed': searched,
  'review.signed': other(dcm.auditLogUsed, [record.attest]),
} as const satisfies Record<EventAction, Mapping>

/** An export that went to somebody outside is a disclosure; one that says nothing of it is only an extract. */
export function mappingOf({ action, detail }: Pick<AuditEvent, 'action' | 'detail'>): Mapping {
  return action === 'recording.exported' && detail?.kind === 'disclosed' ? disclosed : mappings[action]
}

const purposes = {
  treatment: reason.treatment,
  payment: reason.payment,
  operations: reason.operations,
  quality: reason.quality,
  investigation: reason.compliance,
  legal: reason.legal,
  patient_request: reason.patientRequest,
  emergency: reason.emergency,
} as const satisfies Record<NonNullable<AuditEvent['purpose']>, Coding>

/** Why the person did it: what they said, and `BTG` where emergency access let them. */
export function purposeOfUse({ purpose, reasons }: Pick<AuditEvent, 'purpose' | 'reasons'>): Coding[] {
  return [
    ...(purpose === undefined ? [] : [purposes[purpose]]),
    ...(reasons.includes('break_glass') ? [reason.breakGlass] : []),
  ]
}
