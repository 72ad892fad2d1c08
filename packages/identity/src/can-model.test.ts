// Holds the decision to the model, and to what must be so whoever asks: over random people, things and circumstances.
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
  RelationKind,
  Role,
  Scope,
} from '@auricle/contract'
import fc from 'fast-check'
import type { Action, Actor, Circumstances, Resource, UserActor } from './actor.ts'
import { can } from './can.ts'
import { modelAllows } from './fixture-can-model.ts'
import { freshMs, recordingRules, rules, selfRules } from './rules.ts'

const modelRuns = 200_000
const propertyRuns = 30_000

const actions = [recordingRules, rules, selfRules].flatMap(table => Object.keys(table)) as readonly Action[]
const hearing: readonly Action[] = ['recording.play', 'recording.export']
const now = new Date('2026-03-01T12:00:00.000Z')
const at = (ms: number) => new Date(now.getTime() + ms)

// Few of each, so that they meet.
const tenants = [newTenantId(), newTenantId()] as const
const users = [newUserId(), newUserId(), newUserId()] as const
const mailboxes = [newMailboxId(), newMailboxId()] as const
const recordingId = newRecordingId()
const tokenId = newTokenId()
const breakGlassId = newBreakGlassId()
const connectorId = newConnectorId()

const nearly = fc.constantFrom(at(-60_000), at(-1), at(0), at(1), at(60_000))
const tenantId = fc.oneof({ weight: 15, arbitrary: fc.constant(tenants[0]) }, fc.constant(tenants[1]))
const userId = fc.constantFrom(...users)
const mailboxId = fc.constantFrom(...mailboxes)
const labels = fc.subarray(Label.options, { maxLength: 2 })

const token: fc.Arbitrary<UserActor['token']> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('session' as const),
      scopes: fc.constant(null),
      verifiedAt: fc.constantFrom(at(0), at(1 - freshMs), at(-freshMs), at(-1 - freshMs), null),
    }),
  },
  fc.record({
    kind: fc.constantFrom('personal' as const, 'service' as const),
    scopes: fc.oneof(fc.constant(Scope.options), fc.subarray(Scope.options)),
    verifiedAt: fc.constant(null),
  }),
)

const user: fc.Arbitrary<UserActor> = fc.record({
  type: fc.constant('user' as const),
  tenantId,
  userId,
  tokenId: fc.constant(tokenId),
  roles: fc.subarray(Role.options, { minLength: 1, maxLength: 6 }),
  mailboxes: fc.array(
    fc.record({
      mailboxId,
      kind: fc.constantFrom(...RelationKind.options),
      until: fc.option(nearly, { freq: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  breakGlass: fc.option(fc.record({ id: fc.constant(breakGlassId), until: nearly }), { freq: 3 }),
  token,
})

const actor: fc.Arbitrary<Actor> = fc.oneof(
  { weight: 20, arbitrary: user },
  fc.record({ type: fc.constant('connector' as const), tenantId, connectorId: fc.constant(connectorId) }),
  fc.record({
    type: fc.constant('system' as const),
    name: fc.constantFrom('worker' as const, 'operator' as const),
  }),
)

const recording = fc.record({
  type: fc.constant('recording' as const),
  tenantId,
  recordingId: fc.constant(recordingId),
  mailboxId: fc.option(mailboxId, { freq: 6 }),
  labels,
})
const resource: fc.Arbitrary<Resource> = fc.oneof(
  { weight: 6, arbitrary: recording },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('tenant' as const), tenantId }) },
  fc.record({ type: fc.constant('role_request' as const), tenantId, userId, requestedBy: userId }),
  fc.record({ type: fc.constant('break_glass' as const), tenantId, userId }),
  fc.record({ type: fc.constant('mailbox' as const), tenantId, mailboxId }),
)
const circumstances: fc.Arbitrary<Circumstances> = fc.record({
  now: fc.constant(now),
  purpose: fc.option(fc.constantFrom(...Purpose.options), { freq: 3 }),
})
/** An action that the resource has, nine times of ten. */
const asking = <Who extends Actor>(whoever: fc.Arbitrary<Who>) =>
  fc.tuple(whoever, resource, circumstances, fc.nat(), fc.nat(9)).map(([who, what, when, pick, stray]) => {
    const fitting = stray === 0 ? actions : actions.filter(action => fits(action, what))
    const action = fitting[pick % fitting.length] ?? 'self.read'
    return { who, action, what, when }
  })

function fits(action: Action, { type }: Resource): boolean {
  if (type === 'recording') return Object.hasOwn(recordingRules, action)
  if (type === 'role_request') return action === 'role.decide' || action === 'role.withdraw'
  if (type === 'break_glass') return action.startsWith('break_glass.')
  if (type === 'mailbox') return action.startsWith('delegation.')
  return !Object.hasOwn(recordingRules, action)
}

test('the decision and the model never disagree, and every decision has its reasons', t => {
  const seen = { allowed: 0, denied: 0 }
  const reasonsSeen = new Set<string>()
  const check = fc.property(asking(actor), ({ who, action, what, when }) => {
    const decision = can(who, action, what, when)
    seen[decision.allowed ? 'allowed' : 'denied']++
    for (const reason of decision.reasons) reasonsSeen.add(reason)
    assert.equal(decision.allowed, modelAllows(who, action, what, when))
    assert.ok(decision.reasons.length > 0 && decision.reasons.length <= 5)
  })
  fc.assert(check, { numRuns: modelRuns })
  t.diagnostic(`${seen.allowed + seen.denied} questions: ${seen.allowed} allowed, ${seen.denied} denied`)
  assert.equal(seen.allowed + seen.denied, modelRuns)
  // Both answers were asked for often enough to mean something.
  assert.ok(Math.min(seen.allowed, seen.denied) > modelRuns / 20, JSON.stringify(seen))
  for (const reason of reasonsSeen) assert.match(reason, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/)
  const telling = ['other_tenant', 'step_up_required', 'purpose_required', 'authorization_required']
  for (const reason of [...telling, 'break_glass', 'purpose_legal', 'delegated_mailbox']) {
    assert.ok(reasonsSeen.has(reason), reason)
  }
})

/** Everything that the question's people may be asked, over and over. */
function holds(name: string, property: (asked: Asked) => void): void {
  test(name, () => {
    const check = fc.property(asking(user), property)
    fc.assert(check, { numRuns: propertyRuns })
  })
}

interface Asked {
  readonly who: UserActor
  readonly action: Action
  readonly what: Resource
  readonly when: Circumstances
}
const allows = ({ who, action, what, when }: Asked) => can(who, action, what, when).allowed

holds(
  'administrators, auditors and recovery operators alone never see, hear, keep or change a recording',
  asked => {
    for (const roles of [['administrator'], ['auditor'], ['recovery_operator'], []] as const) {
      const alone = { ...asked, who: { ...asked.who, roles } }
      if (Object.hasOwn(recordingRules, asked.action) || asked.action === 'recording.list')
        assert.equal(allows(alone), false)
    }
  },
)

holds('the roles of labels give nothing by themselves', asked => {
  const roles = Label.options.map(label => `hears_${label}` as const)
  const isOwn = asked.action.startsWith('self.') || asked.action === 'break_glass.read'
  if (!isOwn) assert.equal(allows({ ...asked, who: { ...asked.who, roles } }), false)
})

holds('a label more never opens, and a label less never closes', asked => {
  const { what } = asked
  if (what.type !== 'recording') return
  const open = allows(asked)
  for (const label of Label.options) {
    const more = { ...what, labels: [...what.labels, label] }
    if (allows({ ...asked, what: more })) assert.ok(open)
  }
})

holds('a role, a relation, emergency access or a scope less never opens', asked => {
  const open = allows(asked)
  const { who } = asked
  const less: UserActor[] = [
    ...who.roles.map(gone => ({ ...who, roles: who.roles.filter(role => role !== gone) })),
    ...who.mailboxes.map(gone => ({ ...who, mailboxes: who.mailboxes.filter(one => one !== gone) })),
    { ...who, breakGlass: null },
    { ...who, token: { ...who.token, verifiedAt: null } },
    ...(who.token.scopes ?? []).map(gone => {
      const scopes = (who.token.scopes ?? []).filter(scope => scope !== gone)
      return { ...who, token: { ...who.token, scopes } }
    }),
  ]
  for (const weaker of less) if (allows({ ...asked, who: weaker })) assert.ok(open)
})

holds("another tenant's things are nobody's", asked => {
  const [first, second] = tenants
  const elsewhere = asked.who.tenantId === first ? second : first
  const decision = can(asked.who, asked.action, { ...asked.what, tenantId: elsewhere }, asked.when)
  assert.deepEqual(decision, { allowed: false, reasons: ['other_tenant'] })
})

holds('a program without the scope does nothing but look at itself and end', asked => {
  const token = { kind: 'personal', scopes: [], verifiedAt: null } as const
  const program = { ...asked, who: { ...asked.who, token } }
  if (asked.action !== 'self.read' && asked.action !== 'self.end') assert.equal(allows(program), false)
})

holds('emergency access is not of programs', asked => {
  const token = { kind: 'personal', scopes: Scope.options, verifiedAt: null } as const
  const program = { ...asked.who, token }
  const { action, what, when } = asked
  const calm = can({ ...program, breakGlass: null }, action, what, when)
  assert.deepEqual(can(program, action, what, when), calm)
})

holds('psychotherapy is never opened by emergency access', asked => {
  if (asked.what.type !== 'recording') return
  const what = { ...asked.what, labels: [...asked.what.labels, 'psychotherapy' as const] }
  const calm = { ...asked, what, who: { ...asked.who, breakGlass: null } }
  const broken = { ...calm, who: { ...calm.who, breakGlass: { id: breakGlassId, until: at(1) } } }
  assert.equal(allows(broken), allows(calm))
})

holds('what ends at a time is over at that time, and the last second factor after five minutes', asked => {
  const { who } = asked
  const over: UserActor = {
    ...who,
    mailboxes: who.mailboxes.map(relation => ({ ...relation, until: now })),
    breakGlass: { id: breakGlassId, until: now },
  }
  const gone: UserActor = { ...who, mailboxes: [], breakGlass: null }
  assert.equal(allows({ ...asked, who: over }), allows({ ...asked, who: gone }))
  const verified = (ms: number): UserActor => ({
    ...who,
    token: { kind: 'session', scopes: null, verifiedAt: at(-ms) },
  })
  const stale = can(verified(freshMs), asked.action, asked.what, asked.when)
  const fresh = can(verified(freshMs - 1), asked.action, asked.what, asked.when)
  if (stale.allowed) assert.ok(fresh.allowed)
  if (fresh.allowed && !stale.allowed) assert.equal(stale.reasons[0], 'step_up_required')
  assert.equal(stale.reasons[0] === 'step_up_required', fresh.allowed !== stale.allowed)
})

holds('who is told to state a purpose may do it for one, and who may do it for one is told', asked => {
  const { who, action, what } = asked
  const token = { kind: 'session', scopes: null, verifiedAt: now } as const
  const fresh = { ...who, token }
  const silent = can(fresh, action, what, { now, purpose: null })
  const some = Purpose.options.some(purpose => can(fresh, action, what, { now, purpose }).allowed)
  if (silent.reasons[0] === 'purpose_required') assert.ok(hearing.includes(action))
  const isTold = ['purpose_required', 'authorization_required'].includes(silent.reasons[0] ?? '')
  if (some && !silent.allowed) assert.ok(isTold, silent.reasons.join())
})

holds('without a purpose, only clinicians hear', asked => {
  const { who, action, what } = asked
  if (!hearing.includes(action)) return
  const roles = who.roles.filter(role => role !== 'clinician')
  const calm = { ...who, roles, breakGlass: null }
  assert.equal(can(calm, action, what, { now, purpose: null }).allowed, false)
})
