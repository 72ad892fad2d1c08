// The codes that stand in our AuditEvents, each with the display its system publishes, and nothing beyond them.
import type { Coding, Concept } from './resource.ts'

const of =
  (system: string) =>
  (code: string, display: string): Coding => ({ system, code, display })

const inDcm = of('http://dicom.nema.org/resources/ontology/DCM')
const inInteraction = of('http://hl7.org/fhir/restful-interaction')
const inLifecycle = of('http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle')
const inParticipation = of('http://terminology.hl7.org/CodeSystem/v3-ParticipationType')
const inReason = of('http://terminology.hl7.org/CodeSystem/v3-ActReason')
const inEntityType = of('http://terminology.hl7.org/CodeSystem/audit-entity-type')
const inObjectRole = of('http://terminology.hl7.org/CodeSystem/object-role')
const inObjectLifecycle = of('http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle')

/** What happened, by DICOM (PS3.16, CID 400 and 401). */
export const dcm = {
  applicationActivity: inDcm('110100', 'Application Activity'),
  auditLogUsed: inDcm('110101', 'Audit Log Used'),
  export: inDcm('110106', 'Export'),
  securityAlert: inDcm('110113', 'Security Alert'),
  userAuthentication: inDcm('110114', 'User Authentication'),
  applicationStart: inDcm('110120', 'Application Start'),
  applicationStop: inDcm('110121', 'Application Stop'),
  login: inDcm('110122', 'Login'),
  logout: inDcm('110123', 'Logout'),
  emergencyStarted: inDcm('110127', 'Emergency Override Started'),
  securityConfiguration: inDcm('110129', 'Security Configuration'),
  auditStopped: inDcm('110133', 'Audit Recording Stopped'),
  auditStarted: inDcm('110134', 'Audit Recording Started'),
  objectSecurityChanged: inDcm('110135', 'Object Security Attributes Changed'),
  rolesChanged: inDcm('110136', 'Security Roles Changed'),
  userSecurityChanged: inDcm('110137', 'User security Attributes Changed'),
  emergencyStopped: inDcm('110138', 'Emergency Override Stopped'),
} as const

/** Who took which part, by DICOM (PS3.16, CID 402), HL7 and Provenance. */
export const agentType = {
  application: inDcm('110150', 'Application'),
  destination: inDcm('110152', 'Destination Role ID'),
  source: inDcm('110153', 'Source Role ID'),
  custodian: of('http://terminology.hl7.org/CodeSystem/provenance-participant-type')(
    'custodian',
    'Custodian',
  ),
  author: inParticipation('AUT', 'author (originator)'),
  recipient: inParticipation('IRCP', 'information recipient'),
  humanUser: of('http://terminology.hl7.org/CodeSystem/extra-security-role-type')('humanuser', 'human user'),
} as const

export const rest = of('http://terminology.hl7.org/CodeSystem/audit-event-type')('rest', 'RESTful Operation')

export const interaction = {
  create: inInteraction('create', 'create'),
  read: inInteraction('read', 'read'),
  update: inInteraction('update', 'update'),
  delete: inInteraction('delete', 'delete'),
  search: inInteraction('search-type', 'search-type'),
} as const

/** What became of a record (ISO 21089). */
export const record = {
  access: inLifecycle('access', 'Access/View Record Lifecycle Event'),
  archive: inLifecycle('archive', 'Archive Record Lifecycle Event'),
  attest: inLifecycle('attest', 'Attest Record Lifecycle Event'),
  decrypt: inLifecycle('decrypt', 'Decrypt Record Lifecycle Event'),
  destroy: inLifecycle('destroy', 'Destroy/Delete Record Lifecycle Event'),
  disclose: inLifecycle('disclose', 'Disclose Record Lifecycle Event'),
  extract: inLifecycle('extract', 'Extract Record Lifecycle Event'),
  hold: inLifecycle('hold', 'Add Legal Hold Record Lifecycle Event'),
  merge: inLifecycle('merge', 'Merge Record Lifecycle Event'),
  originate: inLifecycle('originate', 'Originate/Retain Record Lifecycle Event'),
  receive: inLifecycle('receive', 'Receive/Retain Record Lifecycle Event'),
  report: inLifecycle('report', 'Report (Output) Record Lifecycle Event'),
  restore: inLifecycle('restore', 'Restore Record Lifecycle Event'),
  transmit: inLifecycle('transmit', 'Transmit Record Lifecycle Event'),
  unhold: inLifecycle('unhold', 'Remove Legal Hold Record Lifecycle Event'),
  verify: inLifecycle('verify', 'Verify Record Lifecycle Event'),
} as const

export const reason = {
  treatment: inReason('TREAT', 'treatment'),
  emergency: inReason('ETREAT', 'Emergency Treatment'),
  breakGlass: inReason('BTG', 'break the glass'),
  payment: inReason('HPAYMT', 'healthcare payment'),
  operations: inReason('HOPERAT', 'healthcare operations'),
  compliance: inReason('HCOMPL', 'health compliance'),
  legal: inReason('HLEGAL', 'legal'),
  quality: inReason('HQUALIMP', 'health quality improvement'),
  records: inReason('RECORDMGT', 'records management'),
  patientRequest: inReason('PATRQT', 'patient requested'),
} as const

export const entityType = {
  person: inEntityType('1', 'Person'),
  systemObject: inEntityType('2', 'System Object'),
  other: inEntityType('4', 'Other'),
  /** Of IHE BALP: the id of a request. */
  requestId: of('https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType')(
    'XrequestId',
    'transport specific unique identifier where http X-Request-Id is used',
  ),
} as const

export const objectRole = {
  patient: inObjectRole('1', 'Patient'),
  domainResource: inObjectRole('4', 'Domain Resource'),
  securityUser: inObjectRole('11', 'Security User Entity'),
  securityGroup: inObjectRole('12', 'Security User Group'),
  securityResource: inObjectRole('13', 'Security Resource'),
  query: inObjectRole('24', 'Query'),
} as const

export const lifecycle = {
  origination: inObjectLifecycle('1', 'Origination / Creation'),
  amendment: inObjectLifecycle('3', 'Amendment'),
  verification: inObjectLifecycle('4', 'Verification'),
  access: inObjectLifecycle('6', 'Access / Use'),
  report: inObjectLifecycle('9', 'Report'),
  export: inObjectLifecycle('10', 'Export'),
  disclosure: inObjectLifecycle('11', 'Disclosure'),
  archiving: inObjectLifecycle('13', 'Archiving'),
  erasure: inObjectLifecycle('15', 'Permanent erasure / Physical destruction'),
} as const

export const applicationServer = of('http://terminology.hl7.org/CodeSystem/security-source-type')(
  '4',
  'Application Server',
)

export const concept = (coding: Coding): Concept => ({ coding: [coding] })
