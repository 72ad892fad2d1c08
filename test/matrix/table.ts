// Who may do what: the one table of expected answers, held against the decision and against every route of the API.
//
// Reviewed by reading: two tables of rights, and one that says which right each operation of the API takes.
import { Purpose } from '@auricle/contract'

// --- recordings ---

/** The columns of the table. */
export const recordingActions = [
  'recording.show',
  'recording.play',
  'recording.export',
  'recording.mark',
  'recording.label',
  'recording.unlabel',
] as const

/** A cell: for which purposes it may be done; `none` stands for no purpose stated. */
export const purposesOf: Readonly<Record<string, readonly (Purpose | 'none')[]>> = {
  '.': [],
  any: ['none', ...Purpose.options],
  supervision: ['payment', 'operations', 'quality', 'investigation', 'legal', 'patient_request'],
  oversight: ['quality', 'investigation', 'legal', 'patient_request'],
  care: ['none', 'treatment', 'emergency'],
  'care+supervision': ['none', ...Purpose.options],
  'care+law': ['none', 'treatment', 'emergency', 'investigation', 'legal'],
  law: ['investigation', 'legal'],
  patient: ['patient_request'],
}

/**
 * The first line that fits holds. `+key`: with the role of the recording's label as well. Relations: `mine` is owner,
 * team, and delegation in force; `theirs` is every other mailbox of the tenant, or none. Labels: `sealed` is all but
 * psychotherapy. Emergency access counts while it is open, and for sessions alone. `export` and `unlabel` take a fresh
 * second factor of a session; programs do all but `unlabel`, within their scopes.
 */
const recordings = `
  who                     relation   label         emergency  show play             export      mark label unlabel
  anybody                 foreign    any           any        .    .                .           .    .     .
  clinician               mine       none          any        any  any              any         any  any   .
  clinician+key           mine       psychotherapy any        any  care+law         care+law    any  any   .
  clinician+key           mine       part2         any        any  any              patient     any  any   .
  clinician+key           mine       vip           any        any  any              any         any  any   .
  clinician+key           mine       employee      any        any  any              any         any  any   .
  clinician               any        psychotherapy any        .    .                .           .    .     .
  clinician+key           any        psychotherapy any        .    .                .           .    .     .
  clinician               any        any           open       any  care             .           .    .     .
  clinician+key           any        any           open       any  care             .           .    .     .
  clinician               any        any           any        .    .                .           .    .     .
  clinician+key           any        any           any        .    .                .           .    .     .
  supervisor              supervises none          open       any  care+supervision supervision .    .     .
  supervisor              supervises none          any        any  supervision      supervision .    .     .
  supervisor+key          supervises psychotherapy any        any  law              law         .    .     .
  supervisor+key          supervises part2         open       any  care+supervision patient     .    .     .
  supervisor+key          supervises part2         any        any  supervision      patient     .    .     .
  supervisor+key          supervises sealed        open       any  care+supervision supervision .    .     .
  supervisor+key          supervises sealed        any        any  supervision      supervision .    .     .
  supervisor              any        psychotherapy any        .    .                .           .    .     .
  supervisor+key          any        psychotherapy any        .    .                .           .    .     .
  supervisor              any        any           open       any  care             .           .    .     .
  supervisor+key          any        any           open       any  care             .           .    .     .
  supervisor              any        any           any        .    .                .           .    .     .
  supervisor+key          any        any           any        .    .                .           .    .     .
  compliance_officer      any        none          any        any  oversight        oversight   .    any   any
  compliance_officer+key  any        psychotherapy any        any  law              law         .    any   any
  compliance_officer+key  any        part2         any        any  oversight        patient     .    any   any
  compliance_officer+key  any        sealed        any        any  oversight        oversight   .    any   any
  compliance_officer      any        any           any        any  .                .           .    any   .
  auditor                 any        any           any        .    .                .           .    .     .
  recovery_operator       any        any           any        .    .                .           .    .     .
  administrator           any        any           any        .    .                .           .    .     .
  hears_psychotherapy     any        any           any        .    .                .           .    .     .
  hears_part2             any        any           any        .    .                .           .    .     .
  hears_vip               any        any           any        .    .                .           .    .     .
  hears_employee          any        any           any        .    .                .           .    .     .
  nobody                  any        any           any        .    .                .           .    .     .
`

/** Where a recording is, seen from the person who asks, and what the table calls it. */
export const places = {
  owner: 'mine',
  team: 'mine',
  delegation: 'mine',
  'ended delegation': 'theirs',
  supervised: 'supervises',
  other: 'theirs',
  'no mailbox': 'theirs',
  'another tenant': 'foreign',
} as const
export type Place = keyof typeof places

export interface RecordingAsked {
  /** A role, a role with `+key`, or `nobody`. */
  readonly who: string
  readonly place: Place
  readonly label: string
  readonly isEmergency: boolean
}

export interface RecordingLine {
  readonly text: string
  readonly cells: readonly string[]
  readonly fits: (asked: RecordingAsked) => boolean
}

const linesOf = (table: string) => table.trim().split('\n').slice(1)

export const recordingLines: readonly RecordingLine[] = linesOf(recordings).map(text => {
  const [who, relation, label, emergency, ...cells] = text.trim().split(/ +/)
  return {
    text: text.trim(),
    cells,
    fits: asked =>
      (who === 'anybody' || who === asked.who) &&
      (relation === 'any' || relation === places[asked.place]) &&
      (label === 'any' ||
        label === asked.label ||
        (label === 'sealed' && !['none', 'psychotherapy'].includes(asked.label))) &&
      (emergency === 'any' || (emergency === 'open') === asked.isEmergency),
  }
})

// --- everything else ---

/** `f`: with a fresh second factor. A program needs the scope named; `-`: no program may. Who is not named may not. */
const rights = `
  action                on                              cli  sup  com  aud  rec  adm  program
  recording.list        tenant                          y    y    y    .    .    .    recordings.read
  people.read           tenant                          .    .    y    y    .    y    people.read
  people.manage         tenant                          .    .    .    .    .    f    people.manage
  role.request          tenant                          .    .    y    .    .    y    people.manage
  role.revoke           tenant                          .    .    f    .    .    f    people.manage
  role.withdraw         request by oneself              .    .    y    .    .    y    people.manage
  role.withdraw         request of another for another  .    .    .    .    .    .    -
  role.withdraw         request for oneself             .    .    .    .    .    .    -
  recertification.read  tenant                          .    .    y    y    .    y    reports.read
  mailbox.manage        tenant                          .    .    .    .    .    y    people.manage
  machine.read          tenant                          .    .    .    y    .    y    machines.read
  machine.manage        tenant                          .    .    .    .    .    f    machines.manage
  tenant.read           tenant                          .    .    y    y    .    y    reports.read
  tenant.manage         tenant                          .    .    .    .    .    f    -
  provider.read         tenant                          .    .    .    y    .    y    machines.read
  provider.manage       tenant                          .    .    .    .    .    f    -
  emergency_code.issue  tenant                          .    .    f    .    .    .    -
  break_glass.start     tenant                          f    f    .    .    .    .    -
  break_glass.read      tenant                          .    .    y    y    .    .    reports.read
  break_glass.read      access of another               .    .    y    y    .    .    reports.read
  break_glass.read      own access                      y    y    y    y    y    y    reports.read
  break_glass.review    access of another               .    .    f    .    .    .    -
  break_glass.review    own access                      .    .    .    .    .    .    -
  alert.read            tenant                          .    .    y    y    .    y    reports.read
  alert.acknowledge     tenant                          .    .    y    .    .    .    -
  audit.read            tenant                          .    .    y    y    .    .    reports.read
  audit.export          tenant                          .    .    f    f    .    .    -
  audit.follow          tenant                          .    .    y    y    .    .    audit.follow
  audit.drop_private    tenant                          .    .    f    .    .    .    -
  disclosure.read       tenant                          .    .    y    y    .    .    reports.read
  disclosure.record     tenant                          .    .    y    .    .    .    -
  disclosure.suspend    tenant                          .    .    f    .    .    .    -
  review.read           tenant                          .    .    y    y    .    .    reports.read
  review.sign           tenant                          .    .    f    .    .    .    -
  rule.read             tenant                          .    .    y    y    .    y    reports.read
  retention.read        tenant                          .    .    y    y    .    .    reports.read
  retention.manage      tenant                          .    .    f    .    .    .    -
  retention.approve     tenant                          .    .    f    .    .    f    -
  record_set.decide     tenant                          .    .    y    .    .    .    -
  hold.read             tenant                          .    .    y    y    .    .    reports.read
  hold.manage           tenant                          .    .    f    .    .    .    -
  disposition.read      tenant                          .    .    y    y    .    y    reports.read
  disposition.propose   tenant                          .    .    y    .    .    .    -
  disposition.review    tenant                          .    .    f    .    .    f    -
  report.schedule       tenant                          .    .    f    .    .    .    -
  role.decide           request of another for another  .    .    f    .    .    f    -
  role.decide           request by oneself              .    .    .    .    .    .    -
  role.decide           request for oneself             .    .    .    .    .    .    -
  delegation.create     own mailbox                     y    .    .    .    .    y    people.manage
  delegation.create     mailbox of the team             .    .    .    .    .    y    people.manage
  delegation.end        own mailbox                     y    .    .    .    .    y    people.manage
  delegation.end        mailbox of the team             .    .    .    .    .    y    people.manage
  self.read             tenant                          y    y    y    y    y    y    any
  self.end              tenant                          y    y    y    y    y    y    any
  self.manage           tenant                          y    y    y    y    y    y    -
  self.verify           tenant                          y    y    y    y    y    y    -
  self.secure           tenant                          f    f    f    f    f    f    -
`

const columns: readonly string[] = [
  'clinician',
  'supervisor',
  'compliance_officer',
  'auditor',
  'recovery_operator',
  'administrator',
]

export interface RightLine {
  readonly action: string
  readonly on: string
  /** What it takes of somebody with this role alone: nothing more, a fresh second factor, or it is not theirs. */
  readonly takes: (who: string) => 'y' | 'f' | '.'
  readonly program: string
}

export const rightLines: readonly RightLine[] = linesOf(rights).map(text => {
  const [action = '', on = '', ...rest] = text.trim().split(/ {2,}/)
  const cells = rest.slice(0, -1)
  // What is somebody's own takes no role.
  const isOwn = action.startsWith('self.') || (action === 'break_glass.read' && on === 'own access')
  return {
    action,
    on,
    program: rest.at(-1) ?? '',
    takes: who => {
      const cell = isOwn ? cells[0] : cells[columns.indexOf(who)]
      return cell === 'y' || cell === 'f' ? cell : '.'
    },
  }
})

// --- the operations of the API ---

/**
 * What each operation needs, as its document says, and on what it is tried. `with`: a use of it that takes another right,
 * which stands under `decides`. `answer`: the status, or the problem, where it is allowed. `uses`: what a call ends or changes of whoever
 * calls, so that each call has one of its own.
 */
const operations = `
  operation                 with               needs                 decides            on                              answer           uses
  signIn                    -                  public                -                  nothing                         malformed        -
  emergencySignIn           -                  public                -                  nothing                         malformed        -
  beginPasskeySignIn        -                  public                -                  nothing                         malformed        -
  signInByPasskey           -                  public                -                  nothing                         malformed        -
  lookAtInvitation          -                  public                -                  nothing                         malformed        -
  beginAcceptance           -                  public                -                  nothing                         malformed        -
  completeAcceptance        -                  public                -                  nothing                         malformed        -
  showSignInWays            -                  public                -                  nothing                         200              -
  beginProviderSignIn       -                  public                -                  nothing                         not-found        -
  finishProviderSignIn      -                  public                -                  nothing                         not-found        -
  endSessionsAtProvider     -                  public                -                  nothing                         malformed        -
  showOpenApi               -                  public                -                  nothing                         200              -
  getLiveness               -                  public                -                  nothing                         200              -
  getReadiness              -                  public                -                  nothing                         200              -
  getMetrics                -                  public                -                  nothing                         200              -
  signOut                   -                  self.end              -                  tenant                          204              token
  getMe                     -                  self.read             -                  tenant                          200              -
  listMailboxes             -                  self.read             -                  tenant                          200              -
  listOwnSessions           -                  self.read             -                  tenant                          200              -
  endOwnSessions            -                  self.manage           -                  tenant                          204              person
  endOwnSession             -                  self.manage           -                  tenant                          204              -
  verifySession             -                  self.verify           -                  tenant                          conflict         person
  beginPasskeyVerification  -                  self.verify           -                  tenant                          conflict         -
  verifyByPasskey           -                  self.verify           -                  tenant                          bad-credentials  -
  beginProviderStepUp       -                  self.verify           -                  tenant                          not-found        -
  showOwnFactors            -                  self.manage           -                  tenant                          200              -
  beginPasskey              -                  self.secure           -                  tenant                          200              -
  addPasskey                -                  self.secure           -                  tenant                          bad-credentials  -
  renamePasskey             -                  self.secure           -                  tenant                          204              -
  removePasskey             -                  self.secure           -                  tenant                          204              person
  replaceRecoveryCodes      -                  self.secure           -                  tenant                          conflict         -
  beginTotp                 -                  self.secure           -                  tenant                          200              -
  replaceTotp               -                  self.secure           -                  tenant                          bad-credentials  -
  changePassword            -                  self.secure           -                  tenant                          conflict         -
  listOwnTokens             -                  self.manage           -                  tenant                          200              -
  makeOwnToken              -                  self.secure           -                  tenant                          201              -
  endOwnToken               -                  self.manage           -                  tenant                          204              -
  listRecordings            -                  recording.list        -                  tenant                          200              -
  showRecording             -                  recording.show        -                  recording                       200              -
  showRetention             -                  recording.show        -                  recording                       200              -
  markRecording             -                  recording.mark        -                  recording                       200              -
  markRecording             a label put on     recording.mark        recording.label    recording                       200              -
  markRecording             a label taken off  recording.mark        recording.unlabel  recording                       200              -
  playRecording             -                  recording.play        -                  recording                       200              -
  playRecordingHead         -                  recording.play        -                  recording                       200              -
  playRecording             a download         recording.play        recording.export   recording                       200              -
  showPeaks                 -                  recording.play        -                  recording                       200              -
  listPeople                -                  people.read           -                  tenant                          200              -
  showPerson                -                  people.read           -                  tenant                          200              -
  invitePerson              -                  people.manage         -                  tenant                          201              -
  changePerson              -                  people.manage         -                  tenant                          200              -
  changePerson              an end             people.manage         -                  tenant                          200              -
  resetFactors              -                  people.manage         -                  tenant                          201              -
  requestRole               -                  role.request          -                  tenant                          201              -
  listRoleRequests          -                  people.read           -                  tenant                          200              -
  decideRoleRequest         -                  role.decide           -                  request of another for another  200              -
  decideRoleRequest         -                  role.decide           -                  request by oneself              200              -
  decideRoleRequest         -                  role.decide           -                  request for oneself             200              person
  withdrawRoleRequest       -                  role.withdraw         -                  request by oneself              204              -
  withdrawRoleRequest       -                  role.withdraw         -                  request of another for another  204              -
  withdrawRoleRequest       -                  role.withdraw         -                  request for oneself             204              person
  revokeRole                -                  role.revoke           -                  tenant                          204              -
  recertification           -                  recertification.read  -                  tenant                          200              -
  listTeams                 -                  people.read           -                  tenant                          200              -
  createTeam                -                  mailbox.manage        -                  tenant                          201              -
  setTeamMember             -                  mailbox.manage        -                  tenant                          204              -
  removeTeamMember          -                  mailbox.manage        -                  tenant                          204              -
  addTeamMailbox            -                  mailbox.manage        -                  tenant                          204              -
  removeTeamMailbox         -                  mailbox.manage        -                  tenant                          204              -
  createMailbox             -                  mailbox.manage        -                  tenant                          201              -
  addMailboxOwner           -                  mailbox.manage        -                  tenant                          204              -
  removeMailboxOwner        -                  mailbox.manage        -                  tenant                          204              -
  createDelegation          -                  delegation.create     -                  own mailbox                     201              -
  createDelegation          -                  delegation.create     -                  mailbox of the team             201              -
  listDelegations           -                  self.read             -                  tenant                          200              -
  listDelegations           everybody's        self.read             people.read        tenant                          200              -
  endDelegation             -                  delegation.end        -                  own mailbox                     204              -
  endDelegation             -                  delegation.end        -                  mailbox of the team             204              -
  startBreakGlass           -                  break_glass.start     -                  tenant                          201              person
  listBreakGlass            -                  break_glass.read      -                  own access                      200              -
  showBreakGlass            -                  break_glass.read      -                  access of another               200              -
  showBreakGlass            -                  break_glass.read      -                  own access                      200              person
  endBreakGlass             -                  self.manage           -                  tenant                          204              person
  reviewBreakGlass          -                  break_glass.review    -                  access of another               201              -
  reviewBreakGlass          -                  break_glass.review    -                  own access                      201              person
  listAlerts                -                  alert.read            -                  tenant                          200              -
  acknowledgeAlert          -                  alert.acknowledge     -                  tenant                          201              -
  listActivityReviews       -                  review.read           -                 tenant                          200              -
  showActivityReview        -                  review.read           -                 tenant                          200              -
  signActivityReview        -                  review.sign           -                 tenant                          201              -
  showCertificate           -                  disposition.read      -                 tenant                          200              -
  listCertificates          -                  disposition.read      -                 tenant                          200              -
  showCertificateKeys       -                  disposition.read      -                 tenant                          200              -
  listDriftRuns             -                  retention.read        -                  tenant                          200              -
  showDriftRun              -                  retention.read        -                  tenant                          200              -
  showWorkingHours          -                  tenant.read           -                 tenant                          200              -
  changeWorkingHours        -                  tenant.manage         -                 tenant                          200              -
  searchLog                 -                  audit.read            -                  tenant                          200              -
  showEvent                 -                  audit.read            -                  tenant                          200              -
  dropPrivatePart           -                  audit.drop_private    -                  tenant                          204              -
  listLogs                  -                  audit.read            -                  tenant                          200              -
  showCheckpoint            -                  audit.read            -                  tenant                          200              -
  proveInclusion            -                  audit.read            -                  tenant                          200              -
  proveConsistency          -                  audit.read            -                  tenant                          200              -
  followLog                 -                  audit.follow          -                  tenant                          200              -
  exportEvidence            -                  audit.export          -                 tenant                          conflict         -
  showLogPolicy             -                  audit.read            -                 tenant                          conflict         -
  showReceiptKey            -                  self.read             -                  tenant                          200              -
  accessReport              -                  audit.read            -                  tenant                          200              -
  accountOfDisclosures      -                  disclosure.read       -                  tenant                          200              -
  retentionReport           -                  retention.read        -                  tenant                          200              -
  listReportSchedules       -                  retention.read        -                  tenant                          200              -
  createReportSchedule      -                  report.schedule       -                  tenant                          201              -
  endReportSchedule         -                  report.schedule       -                  tenant                          204              -
  listReportRuns            -                  retention.read        -                  tenant                          200              -
  showReportRun             -                  retention.read        -                  tenant                          200              -
  recordDisclosure          -                  disclosure.record     -                  tenant                          201              -
  listDisclosures           -                  disclosure.read       -                  tenant                          200              -
  suspendDisclosures        -                  disclosure.suspend    -                  tenant                          201              -
  listSuspensions           -                  disclosure.read       -                  tenant                          200              -
  endSuspension             -                  disclosure.suspend    -                  tenant                          204              -
  listRetentionRules        -                  rule.read            -                  tenant                          200              -
  proposeRetentionRule      -                  retention.manage     -                  tenant                          201              -
  showRetentionRule         -                  rule.read            -                  tenant                          200              -
  proposeRuleVersion        -                  retention.manage     -                  tenant                          201              -
  approveRuleVersion        -                  retention.approve    -                  tenant                          201              -
  withdrawRuleVersion       -                  retention.manage     -                  tenant                          201              -
  listRetentionPresets      -                  rule.read            -                  tenant                          200              -
  showRetentionSettings     -                  rule.read            -                  tenant                          200              -
  changeRetentionSettings   -                  retention.manage     -                  tenant                          200              -
  recordRetentionEvent      -                  retention.manage     -                  tenant                          201              -
  listRetentionEvents       -                  retention.read       -                  tenant                          200              -
  withdrawRetentionEvent    -                  retention.manage     -                  tenant                          201              -
  recordBirthDate           -                  retention.manage     -                  tenant                          201              -
  listRecordSetDecisions    -                  retention.read       -                  tenant                          200              -
  decideRecordSet           -                  record_set.decide    -                  tenant                          201              -
  listHolds                 -                  hold.read             -                  tenant                          200              -
  placeHold                 -                  hold.manage           -                  tenant                          201              -
  previewHold               -                  hold.read             -                  tenant                          200              -
  showHold                  -                  hold.read             -                  tenant                          200              -
  addHoldClauses            -                  hold.manage           -                  tenant                          201              -
  addHoldRecordings         -                  hold.manage           -                  tenant                          201              -
  listHeld                  -                  hold.read             -                  tenant                          200              -
  releaseHeldRecording      -                  hold.manage           -                  tenant                          204              -
  addHoldCustodians         -                  hold.manage           -                  tenant                          201              -
  releaseHold               -                  hold.manage           -                  tenant                          201              -
  listOwnNotices            -                  self.read             -                  tenant                          200              -
  acknowledgeNotice         -                  self.manage           -                  tenant                          201              -
  previewDisposition        -                  disposition.read      -                  tenant                          200              -
  listDispositions          -                  disposition.read      -                  tenant                          200              -
  proposeDisposition        -                  disposition.propose   -                  tenant                          201              -
  showDisposition           -                  disposition.read      -                  tenant                          200              -
  listDispositionItems      -                  disposition.read      -                  tenant                          200              -
  reviewDisposition         -                  disposition.review    -                  tenant                          201              -
  cancelDisposition         -                  disposition.propose   -                  tenant                          201              -
  previewRetention          -                  retention.read       -                  tenant                          200              -
  issueEmergencyCodes       -                  emergency_code.issue  -                  tenant                          201              -
  listEmergencyCodes        -                  people.read           -                  tenant                          200              -
  revokeEmergencyCode       -                  emergency_code.issue  -                  tenant                          204              -
  listProviders             -                  provider.read         -                  tenant                          200              -
  createProvider            -                  provider.manage       -                  tenant                          201              -
  changeProvider            -                  provider.manage       -                  tenant                          200              -
  disableProvider           -                  provider.manage       -                  tenant                          204              -
  checkProvider             -                  provider.read         -                  tenant                          200              -
  linkIdentity              -                  provider.manage       -                  tenant                          204              -
  listIssuers               -                  provider.read         -                  tenant                          200              -
  createIssuer              -                  provider.manage       -                  tenant                          201              -
  changeIssuer              -                  provider.manage       -                  tenant                          200              -
  disableIssuer             -                  provider.manage       -                  tenant                          204              -
  listIssuerSubjects        -                  provider.read         -                  tenant                          200              -
  putIssuerSubject          -                  provider.manage       -                  tenant                          204              -
  removeIssuerSubject       -                  provider.manage       -                  tenant                          204              -
  listConnectors            -                  machine.read          -                  tenant                          200              -
  createConnector           -                  machine.manage        -                  tenant                          201              -
  showConnector             -                  machine.read          -                  tenant                          200              -
  disableConnector          -                  machine.manage        -                  tenant                          204              -
  rotateConnector           -                  machine.manage        -                  tenant                          201              -
  endOverlap                -                  machine.manage        -                  tenant                          204              -
  listServiceAccounts       -                  machine.read          -                  tenant                          200              -
  createServiceAccount      -                  machine.manage        -                  tenant                          201              -
  disableServiceAccount     -                  machine.manage        -                  tenant                          204              -
  listServiceTokens         -                  machine.read          -                  tenant                          200              -
  issueServiceToken         -                  machine.manage        -                  tenant                          201              -
  endServiceToken           -                  machine.manage        -                  tenant                          204              -
  showTenant                -                  tenant.read           -                  tenant                          200              -
  changeTenant              -                  tenant.manage         -                  tenant                          200              -
`

export interface OperationLine {
  readonly operation: string
  readonly use: string | null
  readonly needs: string
  /** The action that is decided. */
  readonly decides: string
  readonly on: string
  readonly answer: string
  readonly uses: 'token' | 'person' | null
}

export const operationLines: readonly OperationLine[] = linesOf(operations).map(text => {
  const [operation = '', use, needs = '', decides = '', on = '', answer = '', uses] = text
    .trim()
    .split(/ {2,}/)
  return {
    operation,
    use: use === '-' || use === undefined ? null : use,
    needs,
    decides: decides === '-' ? needs : decides,
    on,
    answer,
    uses: uses === 'token' || uses === 'person' ? uses : null,
  }
})
