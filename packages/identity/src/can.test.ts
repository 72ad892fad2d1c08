// Holds the decision to written tables: every role, action, relation, label, emergency and kind of token.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Label,
  newBreakGlassId,
  newConnectorId,
  newMailboxId,
  newRecordingId,
  newTenantId,
  newTokenId,
  newUserId,
  Purpose,
  Role,
  Scope,
} from '@auricle/contract'
import type { Action, Actor, MailboxRelation, RecordingAction, Resource, UserActor } from './actor.ts'
import { can } from './can.ts'
import { freshMs } from './rules.ts'

const tenantId = newTenantId()
const userId = newUserId()
const mailboxId = newMailboxId()
const now = new Date('2026-03-01T12:00:00.000Z')
const earlier = (ms: number) => new Date(now.getTime() - ms)
const soon = new Date(now.getTime() + 1)
const plain = { now, purpose: null }

const tokens = {
  fresh: { kind: 'session', scopes: null, verifiedAt: earlier(freshMs - 1) },
  stale: { kind: 'session', scopes: null, verifiedAt: earlier(freshMs) },
  unverified: { kind: 'session', scopes: null, verifiedAt: null },
  program: { kind: 'personal', scopes: Scope.options, verifiedAt: null },
  service: { kind: 'service', scopes: Scope.options, verifiedAt: null },
  scopeless: { kind: 'personal', scopes: [], verifiedAt: null },
} as const satisfies Record<string, UserActor['token']>
type Token = keyof typeof tokens

const person = (roles: readonly Role[], token: Token, change: Partial<UserActor> = {}): UserActor => ({
  type: 'user',
  tenantId,
  userId,
  tokenId: newTokenId(),
  roles,
  mailboxes: [],
  breakGlass: null,
  token: tokens[token],
  ...change,
})

// --- recordings ---

const recordingActions = [
  'recording.show',
  'recording.play',
  'recording.export',
  'recording.mark',
  'recording.label',
  'recording.unlabel',
] as const satisfies readonly RecordingAction[]

/** A cell of the table: with which purposes it may be done; `none` stands for no purpose stated. */
const cells: Readonly<Record<string, readonly (Purpose | 'none')[]>> = {
  '.': [],
  any: ['none', ...Purpose.options],
  supervision: ['payment', 'operations', 'quality', 'investigation', 'legal', 'patient_request'],
  oversight: ['quality', 'investigation', 'legal', 'patient_request'],
  care: ['none', 'treatment', 'emergency'],
  'care+supervision': [
    ...['none', 'treatment', 'emergency', 'payment', 'operations', 'quality'],
    ...['investigation', 'legal', 'patient_request'],
  ] as (Purpose | 'none')[],
  'care+law': ['none', 'treatment', 'emergency', 'investigation', 'legal'],
  law: ['investigation', 'legal'],
  patient: ['patient_request'],
}

/**
 * The first line that fits holds. `key`: with the role of the label as well. Relations: `mine` is owner, team and
 * delegation in force; `theirs` every other one of the tenant. Labels: `sealed` is all but psychotherapy. Emergency
 * access counts while it is open, and for sessions alone. `export` and `unlabel` take a fresh second factor of a
 * session; programs do all but `unlabel`, within their scopes.
 */
const table = `
  who                     relation   label         emergency  show play             export      mark label unlabel
  anybody                 foreign    any           any        .    .                .           .    .     .
  clinician               mine       none          any        any  any              any         any  any   any
  clinician+key           mine       psychotherapy any        any  care+law         care+law    any  any   any
  clinician+key           mine       part2         any        any  any              patient     any  any   any
  clinician+key           mine       vip           any        any  any              any         any  any   any
  clinician+key           mine       employee      any        any  any              any         any  any   any
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

const relations: Readonly<
  Record<string, { readonly group: string; readonly has: readonly MailboxRelation[] }>
> = {
  owner: { group: 'mine', has: [{ mailboxId, kind: 'owner', until: null }] },
  team: { group: 'mine', has: [{ mailboxId, kind: 'team', until: null }] },
  delegation: { group: 'mine', has: [{ mailboxId, kind: 'delegation', until: soon }] },
  ended: { group: 'theirs', has: [{ mailboxId, kind: 'delegation', until: now }] },
  supervises: { group: 'supervises', has: [{ mailboxId, kind: 'supervises', until: null }] },
  other: { group: 'theirs', has: [{ mailboxId: newMailboxId(), kind: 'owner', until: null }] },
  none: { group: 'theirs', has: [{ mailboxId, kind: 'owner', until: null }] },
  foreign: { group: 'foreign', has: [{ mailboxId, kind: 'owner', until: null }] },
}

interface Row {
  readonly text: string
  readonly fits: (who: string, relation: string, label: string, emergency: string) => boolean
  readonly cells: readonly string[]
}

const rows: readonly Row[] = table
  .trim()
  .split('\n')
  .slice(1)
  .map(text => {
    const [who, relation, label, emergency, ...actionCells] = text.trim().split(/ +/)
    return {
      text: text.trim(),
      cells: actionCells,
      fits: (...[asWho, asRelation, asLabel, asEmergency]) =>
        (who === 'anybody' || who === asWho) &&
        (relation === 'any' || relation === asRelation) &&
        (label === 'any' ||
          label === asLabel ||
          (label === 'sealed' && !['none', 'psychotherapy'].includes(asLabel))) &&
        (emergency === 'any' || emergency === asEmergency),
    }
  })

/** Whom the table speaks of, and their roles where the recording has the label. */
const people: Readonly<Record<string, (label: Label | 'none') => readonly Role[] | null>> = {
  ...Object.fromEntries(Role.options.map(role => [role, () => [role]])),
  ...Object.fromEntries(
    (['clinician', 'supervisor', 'compliance_officer'] as const).map(role => [
      `${role}+key`,
      (label: Label | 'none') => (label === 'none' ? null : [role, `hears_${label}` as const]),
    ]),
  ),
  nobody: () => [],
}

test('recordings: role, relation, label, emergency, token, purpose', t => {
  const used = new Set<Row>()
  let decided = 0
  for (const [who, rolesFor] of Object.entries(people)) {
    for (const [relation, { group, has }] of Object.entries(relations)) {
      for (const label of ['none', ...Label.options] as const) {
        const roles = rolesFor(label)
        if (roles === null) continue
        for (const until of [null, now, soon]) {
          for (const token of Object.keys(tokens) as Token[]) {
            const isOpen = until === soon && tokens[token].kind === 'session'
            const row = rows.find(({ fits }) => fits(who, group, label, isOpen ? 'open' : 'closed'))
            assert.ok(row !== undefined, `${who} / ${relation} / ${label}: no line of the table`)
            used.add(row)
            const breakGlass = until === null ? null : { id: newBreakGlassId(), until }
            const actor = person(roles, token, { mailboxes: has, breakGlass })
            const resource: Resource = {
              type: 'recording',
              tenantId: relation === 'foreign' ? newTenantId() : tenantId,
              recordingId: newRecordingId(),
              mailboxId: relation === 'none' ? null : mailboxId,
              labels: label === 'none' ? [] : [label],
            }
            recordingActions.forEach((action, column) => {
              const purposes = cells[row.cells[column] ?? '']
              assert.ok(purposes !== undefined, row.text)
              const isInReach = reaches(token, action)
              for (const purpose of [null, ...Purpose.options]) {
                const expected: boolean = isInReach && purposes.includes(purpose ?? 'none')
                const { allowed, reasons } = can(actor, action, resource, { now, purpose })
                decided++
                assert.equal(
                  allowed,
                  expected,
                  [row.text, action, purpose, token, relation, reasons].join(' / '),
                )
              }
            })
          }
        }
      }
    }
  }
  t.diagnostic(`${decided} decisions, ${rows.length} lines`)
  assert.deepEqual(
    rows.filter(row => !used.has(row)).map(({ text }) => text),
    [],
    'lines that say nothing',
  )
})

function reaches(token: Token, action: RecordingAction): boolean {
  if (token === 'scopeless') return false
  if (action === 'recording.unlabel') return token === 'fresh'
  return action !== 'recording.export' || !['stale', 'unverified'].includes(token)
}

// --- everything else ---

const others: Readonly<Record<string, Resource>> = {
  tenant: { type: 'tenant', tenantId },
  'request of another for another': {
    type: 'role_request',
    tenantId,
    userId: newUserId(),
    requestedBy: newUserId(),
  },
  'request by oneself': { type: 'role_request', tenantId, userId: newUserId(), requestedBy: userId },
  'request for oneself': { type: 'role_request', tenantId, userId, requestedBy: newUserId() },
  'access of another': { type: 'break_glass', tenantId, userId: newUserId() },
  'own access': { type: 'break_glass', tenantId, userId },
  'own mailbox': { type: 'mailbox', tenantId, mailboxId },
  'mailbox of the team': { type: 'mailbox', tenantId, mailboxId: newMailboxId() },
}

/** `f`: with a fresh second factor. Programs within the scope named, `-`: never. Who is not named may not. */
const otherTable = `
  action               on                             cli sup com aud rec adm  program
  recording.list       tenant                         y   y   y   .   .   .    recordings.read
  people.read          tenant                         .   .   y   y   .   y    people.read
  people.manage        tenant                         .   .   .   .   .   f    people.manage
  role.request         tenant                         .   .   y   .   .   y    people.manage
  role.revoke          tenant                         .   .   f   .   .   f    people.manage
  recertification.read tenant                         .   .   y   y   .   y    reports.read
  mailbox.manage       tenant                         .   .   .   .   .   y    people.manage
  machine.read         tenant                         .   .   .   y   .   y    machines.read
  machine.manage       tenant                         .   .   .   .   .   f    machines.manage
  provider.read        tenant                         .   .   .   y   .   y    machines.read
  provider.manage      tenant                         .   .   .   .   .   f    -
  emergency_code.issue tenant                         .   .   f   .   .   .    -
  break_glass.start    tenant                         f   f   .   .   .   .    -
  break_glass.read     tenant                         .   .   y   y   .   .    reports.read
  break_glass.read     access of another              .   .   y   y   .   .    reports.read
  break_glass.read     own access                     y   y   y   y   y   y    reports.read
  break_glass.review   access of another              .   .   f   .   .   .    -
  break_glass.review   own access                     .   .   .   .   .   .    -
  alert.read           tenant                         .   .   y   y   .   y    reports.read
  alert.acknowledge    tenant                         .   .   y   .   .   .    -
  role.decide          request of another for another .   .   f   .   .   f    -
  role.decide          request by oneself             .   .   .   .   .   .    -
  role.decide          request for oneself            .   .   .   .   .   .    -
  delegation.create    own mailbox                    y   .   .   .   .   y    people.manage
  delegation.create    mailbox of the team            .   .   .   .   .   y    people.manage
  delegation.end       own mailbox                    y   .   .   .   .   y    people.manage
  delegation.end       mailbox of the team            .   .   .   .   .   y    people.manage
  self.read            tenant                         y   y   y   y   y   y    any
  self.end             tenant                         y   y   y   y   y   y    any
  self.manage          tenant                         y   y   y   y   y   y    -
  self.verify          tenant                         y   y   y   y   y   y    -
  self.secure          tenant                         f   f   f   f   f   f    -
`

const columns = [
  'clinician',
  'supervisor',
  'compliance_officer',
  'auditor',
  'recovery_operator',
  'administrator',
]

interface OtherRow {
  readonly action: Action
  readonly on: string
  readonly cells: readonly string[]
  readonly program: string
}

const otherRows: readonly OtherRow[] = otherTable
  .trim()
  .split('\n')
  .slice(1)
  .map(text => {
    const [action = '', on = '', ...rest] = text.trim().split(/ {2,}| (?=[.yf] )/)
    return { action: action as Action, on, cells: rest.slice(0, -1), program: rest.at(-1) ?? '' }
  })

const teamMailbox = others['mailbox of the team']
const related: readonly MailboxRelation[] = [
  { mailboxId, kind: 'owner', until: null },
  ...(['team', 'supervises', 'delegation'] as const).map(kind => ({
    mailboxId: teamMailbox?.type === 'mailbox' ? teamMailbox.mailboxId : mailboxId,
    kind,
    until: null,
  })),
]

test('everything else: role, thing, token', t => {
  const known = new Set(otherRows.map(({ action }) => action))
  let decided = 0
  for (const action of known) {
    for (const [on, resource] of Object.entries(others)) {
      const row = otherRows.find(one => one.action === action && one.on === on)
      for (const role of [...Role.options, null]) {
        const cell =
          row?.cells[role === null ? -1 : columns.indexOf(role)] ?? (isOwn(row) ? row?.cells[0] : '.') ?? '.'
        for (const token of Object.keys(tokens) as Token[]) {
          const isProgram = tokens[token].kind !== 'session'
          const program = row?.program ?? '-'
          const expected = isProgram
            ? cell !== '.' && (program === 'any' || (program !== '-' && token !== 'scopeless'))
            : cell === 'y' || (cell === 'f' && token === 'fresh')
          const actor = person(role === null ? [] : [role], token, { mailboxes: related })
          const decision = can(actor, action, resource, plain)
          decided++
          const told = [action, on, role, token, decision.reasons].join(' / ')
          assert.equal(decision.allowed, expected, told)
          const foreign = { ...resource, tenantId: newTenantId() }
          assert.deepEqual(
            can(actor, action, foreign, plain),
            { allowed: false, reasons: ['other_tenant'] },
            told,
          )
          if (!isProgram || program === 'any' || program === '-') continue
          const justOne = { ...tokens.program, scopes: [Scope.parse(program)] }
          const allButOne = { ...tokens.program, scopes: Scope.options.filter(scope => scope !== program) }
          assert.equal(can({ ...actor, token: justOne }, action, resource, plain).allowed, cell !== '.', told)
          assert.equal(can({ ...actor, token: allButOne }, action, resource, plain).allowed, false, told)
        }
      }
    }
  }
  t.diagnostic(`${decided} decisions, and as many on another tenant's things`)
})

/** What is somebody's own takes no role. */
const isOwn = (row: OtherRow | undefined) =>
  row?.action.startsWith('self.') === true || (row?.on === 'own access' && row.action === 'break_glass.read')

// --- who is no person, and what is no action ---

test('connectors and the vault itself neither hear nor manage', () => {
  const actors: readonly Actor[] = [
    { type: 'connector', tenantId, connectorId: newConnectorId() },
    { type: 'system', name: 'worker' },
    { type: 'system', name: 'operator' },
  ]
  const all = [...recordingActions, ...otherRows.map(({ action }) => action)]
  for (const actor of actors) {
    for (const action of all) {
      for (const resource of Object.values(others))
        assert.equal(can(actor, action, resource, plain).allowed, false)
    }
  }
})

test('the reason that comes first says what is to be done', () => {
  const recording = (labels: readonly Label[] = []): Resource => {
    return { type: 'recording', tenantId, recordingId: newRecordingId(), mailboxId, labels }
  }
  const mailboxes: readonly MailboxRelation[] = [
    { mailboxId, kind: 'team', until: null },
    { mailboxId, kind: 'supervises', until: null },
  ]
  const both = person(['clinician', 'supervisor', 'compliance_officer'], 'stale', { mailboxes })
  const first = (actor: Actor, action: Action, resource: Resource, purpose: Purpose | null = null) =>
    can(actor, action, resource, { now, purpose }).reasons[0]
  assert.equal(first(both, 'recording.play', recording()), 'team_mailbox')
  assert.equal(first(both, 'recording.export', recording()), 'step_up_required')
  assert.equal(first(both, 'recording.play', recording(['vip'])), 'label_vip')
  const officer = person(['compliance_officer'], 'fresh')
  assert.equal(first(officer, 'recording.play', recording()), 'purpose_required')
  assert.equal(first(officer, 'recording.play', recording(), 'treatment'), 'purpose_required')
  assert.equal(first(officer, 'recording.mark', recording()), 'no_role')
  assert.equal(first(officer, 'recording.unlabel', recording(['part2'])), 'label_part2')
  const cleared = person(['clinician', 'hears_part2'], 'fresh', { mailboxes })
  assert.equal(first(cleared, 'recording.export', recording(['part2'])), 'authorization_required')
  const stranger = person(['clinician'], 'fresh')
  assert.equal(first(stranger, 'recording.play', recording()), 'not_owner')
  assert.equal(first(person(['auditor'], 'fresh'), 'recording.show', recording()), 'no_hearing_role')
  assert.equal(first(person(['clinician'], 'scopeless'), 'recording.show', recording()), 'out_of_scope')
  assert.equal(
    first(person(['clinician'], 'program'), 'break_glass.start', { type: 'tenant', tenantId }),
    'needs_session',
  )
})

test('of several ways one is enough, and where one lacks a purpose it is asked for', () => {
  const recording: Resource = {
    type: 'recording',
    tenantId,
    recordingId: newRecordingId(),
    mailboxId,
    labels: ['vip'],
  }
  const mailboxes: readonly MailboxRelation[] = [{ mailboxId, kind: 'owner', until: null }]
  const breakGlass = { id: newBreakGlassId(), until: soon }
  const broken = person(['clinician'], 'fresh', { mailboxes, breakGlass })
  assert.deepEqual(can(broken, 'recording.play', recording, plain), {
    allowed: true,
    reasons: ['break_glass', 'purpose_emergency'],
  })
  const asked = can(broken, 'recording.play', recording, { now, purpose: 'quality' })
  assert.deepEqual(asked, { allowed: false, reasons: ['purpose_required', 'break_glass'] })
})

test('values that no type allows are denied, not guessed', () => {
  const actor = person(['clinician'], 'fresh')
  for (const forged of ['recording.delete', 'toString', 'constructor', '__proto__', 'hasOwnProperty', '']) {
    const action: Action = JSON.parse(JSON.stringify(forged))
    for (const resource of Object.values(others)) {
      assert.deepEqual(can(actor, action, resource, plain), { allowed: false, reasons: ['unknown'] })
    }
  }
  const forgedActor: Actor = JSON.parse('{"type":"root"}')
  const tenant: Resource = { type: 'tenant', tenantId }
  assert.equal(can(forgedActor, 'recording.play', tenant, plain).allowed, false)
  const forgedResource: Resource = JSON.parse(JSON.stringify({ type: 'universe', tenantId }))
  for (const { action } of otherRows) assert.equal(can(actor, action, forgedResource, plain).allowed, false)
})
