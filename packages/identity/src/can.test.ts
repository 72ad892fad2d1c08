// Holds the decision to a written table: every actor, action and resource, own and foreign tenant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  newConnectorId,
  newMailboxId,
  newRecordingId,
  newTenantId,
  newTokenId,
  newUserId,
  type Role,
} from '@auricle/contract'
import type { Action, Actor, Resource } from './actor.ts'
import { can } from './can.ts'

const tenantId = newTenantId()
const otherTenantId = newTenantId()
const ownMailbox = newMailboxId()
const recordingId = newRecordingId()
const now = new Date('2026-03-01T12:00:00.000Z')
const plain = { now, purpose: null }

const user = (roles: readonly Role[], mailboxIds = [newMailboxId(), ownMailbox]): Actor => ({
  type: 'user',
  tenantId,
  userId: newUserId(),
  tokenId: newTokenId(),
  roles,
  mailboxes: mailboxIds.map(mailboxId => ({ mailboxId, kind: 'owner', until: null })),
  breakGlass: null,
  token: { kind: 'session', scopes: null, verifiedAt: now },
})

const actors = {
  clinician: user(['clinician']),
  'clinician and administrator': user(['administrator', 'clinician']),
  'clinician without mailboxes': user(['clinician'], []),
  administrator: user(['administrator']),
  'user without roles': user([]),
  connector: { type: 'connector', tenantId, connectorId: newConnectorId() },
  worker: { type: 'system', name: 'worker' },
  operator: { type: 'system', name: 'operator' },
} as const satisfies Record<string, Actor>

const actions = [
  'recording.list',
  'recording.show',
  'recording.play',
  'recording.export',
  'recording.mark',
] as const satisfies readonly Action[]

const recording = (tenant: typeof tenantId, mailboxId: typeof ownMailbox | null): Resource => ({
  type: 'recording',
  tenantId: tenant,
  recordingId,
  mailboxId,
  labels: [],
})
const resources = {
  'own tenant': { type: 'tenant', tenantId },
  'other tenant': { type: 'tenant', tenantId: otherTenantId },
  'own mailbox': recording(tenantId, ownMailbox),
  "a colleague's mailbox": recording(tenantId, newMailboxId()),
  'no mailbox': recording(tenantId, null),
  "own mailbox's id in another tenant": recording(otherTenantId, ownMailbox),
} as const satisfies Record<string, Resource>

/** Everything that may be done at all. */
const yes = new Set(
  ['clinician', 'clinician and administrator'].flatMap(actor => [
    `${actor} / recording.list / own tenant`,
    `${actor} / recording.show / own mailbox`,
    `${actor} / recording.play / own mailbox`,
    `${actor} / recording.export / own mailbox`,
    `${actor} / recording.mark / own mailbox`,
  ]),
).add('clinician without mailboxes / recording.list / own tenant')

test('the whole matrix: what is not in the table is denied', () => {
  const allowed = new Set<string>()
  for (const [actorName, actor] of Object.entries(actors)) {
    for (const action of actions) {
      for (const [resourceName, resource] of Object.entries(resources)) {
        const decision = can(actor, action, resource, plain)
        assert.ok(decision.reasons.length > 0)
        for (const reason of decision.reasons) assert.match(reason, /^[a-z]+(_[a-z]+)*$/)
        if (decision.allowed) allowed.add(`${actorName} / ${action} / ${resourceName}`)
      }
    }
  }
  assert.deepEqual([...allowed].sort(), [...yes].sort())
})

for (const [actor, action, resource, reason] of [
  ['clinician', 'recording.list', 'own tenant', 'clinician'],
  ['clinician', 'recording.play', 'own mailbox', 'owns_mailbox'],
  ['clinician', 'recording.play', "a colleague's mailbox", 'not_owner'],
  ['clinician', 'recording.play', 'no mailbox', 'no_mailbox'],
  ['clinician', 'recording.play', 'own tenant', 'wrong_resource'],
  ['clinician', 'recording.list', 'own mailbox', 'wrong_resource'],
  ['clinician', 'recording.play', "own mailbox's id in another tenant", 'other_tenant'],
  ['clinician', 'recording.list', 'other tenant', 'other_tenant'],
  ['administrator', 'recording.play', 'own mailbox', 'no_hearing_role'],
  ['administrator', 'recording.list', 'own tenant', 'no_hearing_role'],
  ['administrator', 'recording.list', 'other tenant', 'other_tenant'],
  ['user without roles', 'recording.show', 'own mailbox', 'no_hearing_role'],
  ['connector', 'recording.play', 'own mailbox', 'connectors_hear_nothing'],
  ['connector', 'recording.play', "own mailbox's id in another tenant", 'other_tenant'],
  ['worker', 'recording.play', 'own mailbox', 'system_hears_nothing'],
  ['operator', 'recording.export', 'own mailbox', 'system_hears_nothing'],
] as const) {
  test(`${actor}, ${action}, ${resource}: ${reason}`, () => {
    assert.equal(can(actors[actor], action, resources[resource], plain).reasons[0], reason)
  })
}

test('values that no type allows are denied, not guessed', () => {
  const forgedAction: Action = JSON.parse('"recording.delete"')
  const forgedActor: Actor = JSON.parse('{"type":"root"}')
  assert.deepEqual(can(actors.clinician, forgedAction, resources['own mailbox'], plain), {
    allowed: false,
    reasons: ['unknown'],
  })
  assert.equal(can(forgedActor, 'recording.play', resources['own mailbox'], plain).allowed, false)
})
