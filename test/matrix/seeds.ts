// What each operation is called with: ids in its path, its body, its query; made anew for each call that uses it up.
import { type MailboxId, newAttemptId, newProviderId, newRecordingId, type UserId } from '@auricle/contract'
import type { Described } from './document.ts'
import type { OperationLine, Place } from './table.ts'
import { issuerSettings, nowhere, providerSettings, type Things } from './things.ts'
import type { Side } from './world.ts'

export interface Input {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Seeding {
  /** In which tenant the thing is, and what makes it there. */
  readonly side: Side
  readonly things: Things
  /** As the table calls the thing. */
  readonly on: string
  readonly place: Exclude<Place, 'another tenant'>
  readonly label: string
  /** Somebody of that tenant: whoever calls, where they are of it. */
  readonly self: UserId
}

type Seed = (seeding: Seeding) => Input | Promise<Input>

const aRule = { keep: { years: 7 }, dispose: 'review' }
const soon = () => new Date(Date.now() + 60 * 60_000).toISOString()
const nothing: Seed = () => ({ body: {} })
const ofPerson: Seed = async ({ things }) => ({ params: { id: await things.person() } })
const ofPatient: Seed = async ({ things }) => ({ query: { patient: await things.patient() } })
const ofColleague: Seed = ({ side }) => ({ params: { id: side.colleague } })
const aPasskeyAnswer = () => ({ attempt: newAttemptId(), response: { id: 'AAAA', response: {} } })
const ofProvider = async ({ things }: Seeding) => ({ provider: await things.provider() })
const ofIssuer = async ({ things }: Seeding) => ({ issuer: await things.issuer() })
const ofConnector = async ({ things }: Seeding) => ({ id: await things.connector() })
const aCopyOf = ({ things, side, place, label }: Seeding) =>
  things.recording(place === 'no mailbox' ? null : side.mailboxes[place], label)

/** A mailbox as the table of rights calls it. */
async function mailboxOn({ things, on, side, self }: Seeding): Promise<{ id: MailboxId; owner: UserId }> {
  if (on === 'own mailbox') return { id: await things.mailbox([self]), owner: self }
  const id = await things.mailbox([side.colleague])
  await things.team([self], [id])
  return { id, owner: side.colleague }
}

async function requestOn({ things, on, side, self }: Seeding): Promise<Input['params']> {
  const person = on === 'request for oneself' ? self : await things.person()
  return { id: await things.roleRequest(person, on === 'request by oneself' ? self : side.colleague) }
}

const accessOn = async ({ things, on, self }: Seeding, state: 'open' | 'over') => ({
  id: await things.breakGlass(on === 'own access' ? self : await things.person(), state),
})

const seeds: Readonly<Record<string, Seed>> = {
  // --- sign-in: what is no sign-in, and what nobody offers ---
  signIn: nothing,
  emergencySignIn: nothing,
  beginPasskeySignIn: nothing,
  signInByPasskey: nothing,
  lookAtInvitation: nothing,
  beginAcceptance: nothing,
  completeAcceptance: nothing,
  showSignInWays: ({ side }) => ({ query: { tenant: side.clinic.tenant.slug } }),
  beginProviderSignIn: () => ({ params: { provider: newProviderId() } }),
  finishProviderSignIn: () => ({ params: { provider: newProviderId() }, query: { state: 'x', code: 'x' } }),
  endSessionsAtProvider: () => ({ params: { provider: newProviderId() } }),

  // An event that waits for a minute is trouble, and nobody else seals here.
  getReadiness: async ({ things }) => {
    await things.seal()
    return {}
  },

  // --- one's own ---
  endOwnSession: async ({ things, self }) => ({ params: { id: await things.token(self, 'session') } }),
  verifySession: () => ({ body: { code: '000000' } }),
  verifyByPasskey: () => ({ body: aPasskeyAnswer() }),
  beginProviderStepUp: async seeding => ({ params: await ofProvider(seeding) }),
  addPasskey: () => ({ body: { ...aPasskeyAnswer(), name: 'a key' } }),
  renamePasskey: async ({ things, self }) => ({
    params: { id: await things.passkey(self) },
    body: { name: 'another name' },
  }),
  removePasskey: async ({ things, self }) => {
    await things.passkey(self)
    return { params: { id: await things.passkey(self) } }
  },
  replaceRecoveryCodes: nothing,
  replaceTotp: () => ({ body: { attempt: newAttemptId(), code: '000000' } }),
  changePassword: () => ({ body: { current: 'not the password', next: 'another long passphrase' } }),
  makeOwnToken: () => ({ body: { name: 'a program', scopes: ['recordings.read'], expiresInDays: 1 } }),
  endOwnToken: async ({ things, self }) => ({ params: { id: await things.token(self, 'personal') } }),

  // --- recordings ---
  markRecording: () => ({ body: { heard: true } }),
  'markRecording, a label put on': async seeding => ({
    params: { id: await aCopyOf(seeding) },
    body: { labels: { add: [seeding.label === 'none' ? 'vip' : seeding.label], remove: [] } },
  }),
  'markRecording, a label taken off': async seeding => ({
    params: { id: await aCopyOf(seeding) },
    body: { labels: { add: [], remove: [seeding.label === 'none' ? 'vip' : seeding.label] } },
  }),
  'playRecording, a download': () => ({ query: { download: 'true' } }),

  // --- people and roles ---
  showPerson: ofColleague,
  invitePerson: ({ things }) => ({ body: { login: things.unique(), name: 'Somebody' } }),
  changePerson: async seeding => ({ ...(await ofPerson(seeding)), body: { name: 'Another name' } }),
  'changePerson, an end': async seeding => ({ ...(await ofPerson(seeding)), body: { disabled: true } }),
  resetFactors: ofPerson,
  requestRole: async ({ things }) => ({
    body: { user: await things.person(), role: 'auditor', reason: 'of a test' },
  }),
  decideRoleRequest: async seeding => ({ params: (await requestOn(seeding)) ?? {}, body: { approve: true } }),
  withdrawRoleRequest: async seeding => ({ params: (await requestOn(seeding)) ?? {} }),
  revokeRole: async ({ things }) => ({ params: { id: await things.person(['auditor']), role: 'auditor' } }),

  // --- teams, mailboxes, cover ---
  createTeam: ({ things }) => ({ body: { name: things.unique() } }),
  setTeamMember: async ({ things }) => ({
    params: { id: await things.team(), user: await things.person() },
    body: { supervises: false },
  }),
  removeTeamMember: async ({ things }) => {
    const user = await things.person()
    return { params: { id: await things.team([user]), user } }
  },
  addTeamMailbox: async ({ things }) => ({
    params: { id: await things.team(), mailbox: await things.mailbox([]) },
  }),
  removeTeamMailbox: async ({ things }) => {
    const mailbox = await things.mailbox([])
    return { params: { id: await things.team([], [mailbox]), mailbox } }
  },
  createMailbox: ({ things }) => ({ body: { address: things.unique(), name: 'A mailbox' } }),
  addMailboxOwner: async ({ things }) => ({
    params: { id: await things.mailbox([]), user: await things.person() },
  }),
  removeMailboxOwner: async ({ things }) => {
    const user = await things.person()
    return { params: { id: await things.mailbox([user]), user } }
  },
  createDelegation: async seeding => {
    const { id } = await mailboxOn(seeding)
    return { body: { mailbox: id, to: seeding.side.clinic.stranger.row.id, until: soon() } }
  },
  "listDelegations, everybody's": () => ({ query: { all: 'true' } }),
  endDelegation: async seeding => {
    const { id, owner } = await mailboxOn(seeding)
    return { params: { id: await seeding.things.delegation(id, owner, seeding.side.clinic.stranger.row.id) } }
  },

  // --- emergency access ---
  startBreakGlass: () => ({ body: { reason: 'somebody is on the floor and nobody knows why' } }),
  showBreakGlass: async seeding => ({ params: await accessOn(seeding, 'over') }),
  endBreakGlass: async seeding => ({ params: await accessOn({ ...seeding, on: 'own access' }, 'open') }),
  reviewBreakGlass: async seeding => ({
    params: await accessOn(seeding, 'over'),
    body: { verdict: 'justified', note: 'of a test' },
  }),
  acknowledgeAlert: async ({ things }) => ({ params: { id: await things.alert() } }),
  showActivityReview: async ({ things }) => ({ params: { id: await things.activityReview() } }),
  signActivityReview: async ({ things }) => ({
    params: { id: await things.activityReview() },
    body: { note: 'of a test', verdicts: [] },
  }),
  showCertificate: async ({ things }) => ({ params: { id: await things.destroyed() } }),
  showDriftRun: async ({ things }) => ({ params: { id: await things.driftRun() } }),
  changeWorkingHours: () => ({
    body: { timeZone: 'UTC', opensAt: '07:00', closesAt: '19:00', days: [1, 2, 3, 4, 5] },
  }),
  // --- the log, reports and disclosures ---
  showEvent: async ({ things }) => ({ params: { id: await things.sealedEvent() } }),
  dropPrivatePart: async ({ things }) => ({
    params: { id: await things.event() },
    body: { reason: 'of a test' },
  }),
  proveInclusion: async ({ things }) => ({ query: { event: await things.sealedEvent() } }),
  proveConsistency: () => ({ query: { year: String(new Date().getUTCFullYear()), from: '1' } }),
  followLog: () => ({ query: { limit: '3' } }),
  showReceiptKey: async ({ things }) => ({ query: { writer: await things.receiptKey() } }),
  accessReport: ofPatient,
  accountOfDisclosures: ofPatient,
  listDisclosures: ofPatient,
  createReportSchedule: ({ things }) => ({
    body: { name: things.unique(), every: 'month', mailTo: ['officer@vault.example'] },
  }),
  endReportSchedule: async ({ things }) => ({ params: { id: await things.reportSchedule() } }),
  showReportRun: async ({ things }) => ({ params: { id: await things.reportRun() } }),
  listSuspensions: ofPatient,
  recordDisclosure: async ({ things }) => ({
    body: {
      ...{ patient: await things.patient(), disclosedAt: '2026-01-02T03:04:05Z', purpose: 'judicial' },
      ...{ recipient: { kind: 'court', name: 'A court' }, what: 'a voicemail', why: 'a subpoena' },
    },
  }),
  suspendDisclosures: async ({ things }) => ({
    body: {
      ...{ patient: await things.patient(), recipientKind: 'law_enforcement', form: 'written' },
      ...{ agency: 'An agency', statement: 'of a test', from: '2026-01-02T03:04:05Z', until: soon() },
    },
  }),
  endSuspension: async ({ things }) => ({ params: { id: await things.suspension() } }),
  // --- retention ---
  proposeRetentionRule: ({ things }) => ({ body: { name: things.unique(), definition: aRule } }),
  showRetentionRule: async ({ things }) => ({ params: { id: await things.shorterRule() } }),
  proposeRuleVersion: async ({ things }) => ({
    params: { id: await things.shorterRule() },
    body: { definition: aRule },
  }),
  approveRuleVersion: async ({ things }) => ({
    params: { id: await things.shorterRule(), version: '1' },
    body: {},
  }),
  withdrawRuleVersion: async ({ things }) => ({ params: { id: await things.shorterRule(), version: '1' } }),
  changeRetentionSettings: () => ({
    body: { zone: 'UTC', stages: 1, waitingDays: 7, shorteningDays: 30, storagePrice: null },
  }),
  recordRetentionEvent: async ({ things }) => ({
    body: { kind: 'discharged', patient: await things.patient(), at: '2026-01-02T03:04:05Z' },
  }),
  listRetentionEvents: ofPatient,
  withdrawRetentionEvent: async ({ things }) => ({ params: { id: await things.retentionEvent() } }),
  recordBirthDate: async ({ things }) => ({
    body: { patient: await things.patient(), birthDate: '1987-02-28' },
  }),
  decideRecordSet: async ({ things }) => ({
    body: { mailbox: await things.mailbox([]), decision: 'in', rationale: 'of a test' },
  }),
  // --- legal holds ---
  placeHold: async ({ things, side }) => ({
    body: {
      ...{ matter: 'of a test', notice: 'keep it', clauses: [{ mailbox: await things.mailbox([]) }] },
      custodians: [side.colleague],
    },
  }),
  previewHold: async ({ things }) => ({ body: { clauses: [{ mailbox: await things.mailbox([]) }] } }),
  showHold: async ({ things }) => ({ params: { id: await things.hold() } }),
  addHoldClauses: async ({ things }) => ({
    params: { id: await things.hold() },
    body: { clauses: [{ mailbox: await things.mailbox([]) }] },
  }),
  addHoldRecordings: async ({ things }) => ({
    params: { id: await things.hold() },
    body: { recordings: [await things.recording(null, 'none')] },
  }),
  listHeld: async ({ things }) => ({ params: { id: await things.hold() } }),
  releaseHeldRecording: async ({ things }) => {
    const recording = await things.recording(null, 'none')
    return { params: { id: await things.hold([recording]), recording }, body: { reason: 'of a test' } }
  },
  addHoldCustodians: async ({ things }) => ({
    params: { id: await things.hold() },
    body: { custodians: [await things.person()] },
  }),
  releaseHold: async ({ things }) => ({ params: { id: await things.hold() }, body: { reason: 'of a test' } }),
  acknowledgeNotice: async ({ things, self }) => ({ params: { id: await things.hold([], [self]) } }),
  // --- dispositions ---
  previewDisposition: nothing,
  proposeDisposition: async ({ things }) => ({ body: { recordings: [await things.dueRecording()] } }),
  showDisposition: async ({ things }) => ({ params: { id: await things.disposition() } }),
  listDispositionItems: async ({ things }) => ({ params: { id: await things.disposition() } }),
  reviewDisposition: async ({ things }) => ({
    params: { id: await things.disposition() },
    body: { verdict: 'approve' },
  }),
  cancelDisposition: async ({ things }) => ({ params: { id: await things.disposition() } }),
  previewRetention: async ({ things }) => ({
    body: { rule: await things.shorterRule(), definition: aRule },
  }),
  issueEmergencyCodes: async ({ things }) => ({ params: { id: await things.personWithTotp() }, body: {} }),
  listEmergencyCodes: ofColleague,
  revokeEmergencyCode: async ({ things }) => {
    const id = await things.person()
    return { params: { id, code: await things.emergencyCode(id) } }
  },

  // --- providers and issuers ---
  createProvider: ({ things }) => ({
    body: {
      ...{ name: things.unique(), issuer: nowhere, clientId: 'auricle' },
      ...{ clientSecret: 'a secret of a test', settings: providerSettings },
    },
  }),
  changeProvider: async seeding => ({
    params: await ofProvider(seeding),
    body: { name: seeding.things.unique() },
  }),
  disableProvider: async seeding => ({ params: await ofProvider(seeding) }),
  checkProvider: async seeding => ({ params: await ofProvider(seeding) }),
  linkIdentity: async seeding => ({
    params: { ...(await ofProvider(seeding)), person: await seeding.things.person() },
    body: { subject: seeding.things.unique() },
  }),
  createIssuer: ({ things }) => ({
    body: { name: things.unique(), issuer: things.unique(), audience: 'auricle', settings: issuerSettings },
  }),
  changeIssuer: async seeding => ({ params: await ofIssuer(seeding), body: { settings: issuerSettings } }),
  disableIssuer: async seeding => ({ params: await ofIssuer(seeding) }),
  listIssuerSubjects: async seeding => ({ params: await ofIssuer(seeding) }),
  putIssuerSubject: async seeding => {
    const user = await seeding.things.person()
    return {
      params: await ofIssuer(seeding),
      body: { subject: seeding.things.unique(), user, scopes: ['recordings.read'] },
    }
  },
  removeIssuerSubject: async seeding => {
    const { issuer } = await ofIssuer(seeding)
    return {
      params: { issuer },
      query: { subject: await seeding.things.issuerSubject(issuer, await seeding.things.person()) },
    }
  },

  // --- machines ---
  createConnector: ({ things }) => ({ body: { kind: 'upload', name: things.unique() } }),
  showConnector: ({ side }) => ({ params: { id: side.clinic.connectorRow.id } }),
  disableConnector: async seeding => ({ params: await ofConnector(seeding) }),
  rotateConnector: async seeding => ({ params: await ofConnector(seeding), body: {} }),
  endOverlap: async ({ things }) => ({ params: { id: await things.rotatedConnector() } }),
  createServiceAccount: ({ things }) => ({ body: { login: things.unique(), name: 'A program' } }),
  disableServiceAccount: async ({ things }) => ({ params: { id: await things.person([], 'service') } }),
  listServiceTokens: async ({ things }) => ({ params: { id: await things.person([], 'service') } }),
  issueServiceToken: async ({ things }) => ({
    params: { id: await things.person([], 'service') },
    // A program gives no more than it has.
    body: { name: 'a program', scopes: ['machines.manage'], expiresInDays: 1 },
  }),
  endServiceToken: async ({ things }) => {
    const id = await things.person([], 'service')
    return { params: { id, token: await things.token(id, 'service') } }
  },
  changeTenant: () => ({ body: { name: 'A clinic' } }),
}

/** Whose body names things of the tenant, so that those of another one can be tried. */
export const namesInBody: ReadonlySet<string> = new Set([
  'requestRole',
  'createDelegation',
  'recordDisclosure',
  'suspendDisclosures',
  'recordRetentionEvent',
  'recordBirthDate',
  'decideRecordSet',
  'placeHold',
  'previewRetention',
])

/** What they ask for is no tenant's: numbers, and a key of the deployment. */
export const namesNothing: ReadonlySet<string> = new Set(['proveConsistency', 'showReceiptKey'])

/** Throws, with a sentence, where nothing is known that the operation could be called with. */
export function seedOf({ operation, asks, takesBody }: Described, { use, on }: OperationLine): Seed {
  const seed = seeds[use === null ? operation : `${operation}, ${use}`]
  const needsSeed = takesBody || use !== null || (asks.length > 0 && on !== 'recording')
  if (needsSeed && seed === undefined) {
    throw new Error(`${operation}${use === null ? '' : ` with ${use}`} has no seed to be called with.`)
  }
  return seed ?? (() => ({}))
}

const anId = /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$/

/** The text, or, where it is an id, one like it of nothing. */
export const ofNothing = (text: string) =>
  anId.test(text) ? text.slice(0, 4) + newRecordingId().slice(4) : text
