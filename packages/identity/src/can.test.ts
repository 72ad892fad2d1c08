// Holds the decision to the reviewed table: every role, action, relation, label, emergency and kind of token.
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
import {
  type Place,
  purposesOf,
  type RecordingLine,
  recordingActions,
  recordingLines,
  rightLines,
} from '../../../test/matrix/table.ts'
import type { Action, Actor, MailboxRelation, RecordingAction, Resource, UserActor } from './actor.ts'
import { can } from './can.ts'
import { freshMs, isAction } from './rules.ts'

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

const relations: Readonly<Record<Place, readonly MailboxRelation[]>> = {
  owner: [{ mailboxId, kind: 'owner', until: null }],
  team: [{ mailboxId, kind: 'team', until: null }],
  delegation: [{ mailboxId, kind: 'delegation', until: soon }],
  'ended delegation': [{ mailboxId, kind: 'delegation', until: now }],
  supervised: [{ mailboxId, kind: 'supervises', until: null }],
  other: [{ mailboxId: newMailboxId(), kind: 'owner', until: null }],
  'no mailbox': [{ mailboxId, kind: 'owner', until: null }],
  'another tenant': [{ mailboxId, kind: 'owner', until: null }],
}

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
  const used = new Set<RecordingLine>()
  let decided = 0
  for (const [who, rolesFor] of Object.entries(people)) {
    for (const [place, mailboxes] of Object.entries(relations) as [Place, readonly MailboxRelation[]][]) {
      for (const label of ['none', ...Label.options] as const) {
        const roles = rolesFor(label)
        if (roles === null) continue
        for (const until of [null, now, soon]) {
          for (const token of Object.keys(tokens) as Token[]) {
            const isEmergency = until === soon && tokens[token].kind === 'session'
            const row = recordingLines.find(({ fits }) => fits({ who, place, label, isEmergency }))
            assert.ok(row !== undefined, `${who} / ${place} / ${label}: no line of the table`)
            used.add(row)
            const breakGlass = until === null ? null : { id: newBreakGlassId(), until }
            const actor = person(roles, token, { mailboxes, breakGlass })
            const resource: Resource = {
              type: 'recording',
              tenantId: place === 'another tenant' ? newTenantId() : tenantId,
              recordingId: newRecordingId(),
              mailboxId: place === 'no mailbox' ? null : mailboxId,
              labels: label === 'none' ? [] : [label],
            }
            recordingActions.forEach((action, column) => {
              const purposes = purposesOf[row.cells[column] ?? '']
              assert.ok(purposes !== undefined, row.text)
              const isInReach = reaches(token, action)
              for (const purpose of [null, ...Purpose.options]) {
                const expected: boolean = isInReach && purposes.includes(purpose ?? 'none')
                const { allowed, reasons } = can(actor, action, resource, { now, purpose })
                decided++
                assert.equal(
                  allowed,
                  expected,
                  [row.text, action, purpose, token, place, reasons].join(' / '),
                )
              }
            })
          }
        }
      }
    }
  }
  t.diagnostic(`${decided} decisions, ${recordingLines.length} lines`)
  assert.deepEqual(
    recordingLines.filter(row => !used.has(row)).map(({ text }) => text),
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
  for (const { action, on } of rightLines) {
    assert.ok(isAction(action), action)
    assert.ok(Object.hasOwn(others, on), on)
  }
  let decided = 0
  for (const action of new Set(rightLines.map(line => line.action as Action))) {
    for (const [on, resource] of Object.entries(others)) {
      const row = rightLines.find(one => one.action === action && one.on === on)
      for (const role of [...Role.options, null]) {
        const cell = row?.takes(role ?? 'nobody') ?? '.'
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

// --- who is no person, and what is no action ---

test('connectors and the vault itself neither hear nor manage', () => {
  const actors: readonly Actor[] = [
    { type: 'connector', tenantId, connectorId: newConnectorId() },
    { type: 'system', name: 'worker' },
    { type: 'system', name: 'operator' },
  ]
  const all = [...recordingActions, ...rightLines.map(({ action }) => action as Action)]
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
  for (const { action } of rightLines)
    assert.equal(can(actor, action as Action, forgedResource, plain).allowed, false)
})
