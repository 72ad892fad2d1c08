// Emergency access over its whole life, in any order of what people, time and the worker may do, beside a model of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BreakGlassId, newTokenId, type Role } from '@auricle/contract'
import type { UserActor } from '@auricle/identity'
import fc from 'fast-check'
import { auditEvents } from '../../../../test/audit-log.ts'
import { makeClinic, openTestVault, type Person, type TestVault } from '../../../../test/vault.ts'
import { isError } from '../error.ts'
import { endBreakGlass, listBreakGlass, reviewBreakGlass, startBreakGlass } from './emergency-access.ts'
import { sweepBreakGlass } from './sweep-break-glass.ts'

let vault: TestVault

before(async () => {
  vault = await openTestVault()
})
after(() => vault[Symbol.asyncDispose]())

const minuteMs = 60_000
const accessMinutes = 60
const reviewMinutes = 3 * 24 * 60

interface Access {
  readonly id: BreakGlassId
  readonly startedAt: number
  endedAt: number | null
  isReviewed: boolean
  isAlerted: boolean
}

type Step =
  | { readonly type: 'start' | 'end' | 'review' | 'sweep' }
  | { readonly type: 'wait'; readonly minutes: number }

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Step>({ type: 'start' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ type: 'end' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ type: 'review' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ type: 'sweep' }) },
    {
      weight: 4,
      arbitrary: fc
        .constantFrom(1, accessMinutes - 1, accessMinutes, reviewMinutes)
        .map<Step>(minutes => ({ type: 'wait', minutes })),
    },
  ),
  { minLength: 1, maxLength: 20 },
)

const over = ({ startedAt, endedAt }: Access, now: number) =>
  endedAt !== null || startedAt + accessMinutes <= now

function stateOf(access: Access, now: number): string {
  if (access.isReviewed) return 'reviewed'
  if (!over(access, now)) return 'open'
  return access.startedAt + reviewMinutes <= now ? 'overdue' : 'unreviewed'
}

/** Whether it was done; a conflict is no, everything else is a failure. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (isError(error, 'VaultError', 'conflict')) return false
    throw error
  }
}

async function live(sequence: readonly Step[]): Promise<void> {
  const clinic = await makeClinic(vault)
  const accesses: Access[] = []
  let minutes = 0
  const beginMs = Date.parse('2026-05-01T10:00:00Z')
  const now = () => new Date(beginMs + minutes * minuteMs)
  const parts = { ...vault, now, onAlert: () => undefined }
  const factsOf = ({ row }: Person, role: Role) => {
    const actor: UserActor = {
      type: 'user',
      tenantId: row.tenantId,
      userId: row.id,
      tokenId: newTokenId(),
      roles: [role],
      mailboxes: [],
      breakGlass: null,
      token: { kind: 'session', scopes: null, verifiedAt: now() },
    }
    return { actor, purposeOfUse: null, request: 'a-request', ip: null, userAgent: null }
  }
  const stranger = () => factsOf(clinic.stranger, 'clinician')
  const officer = () => factsOf(clinic.complianceOfficer, 'compliance_officer')

  for (const step of sequence) {
    const last = accesses.at(-1)
    switch (step.type) {
      case 'wait':
        minutes += step.minutes
        break
      case 'start': {
        const isFree = last === undefined || over(last, minutes)
        const started = startBreakGlass(parts, stranger(), 'a reason of a test', {})
        assert.equal(await isDone(started), isFree)
        if (!isFree) break
        const { id } = await started
        accesses.push({ id, startedAt: minutes, endedAt: null, isReviewed: false, isAlerted: false })
        break
      }
      case 'end': {
        if (last === undefined) break
        const isOpen = !over(last, minutes)
        assert.equal(await isDone(endBreakGlass(parts, stranger(), last.id, {})), isOpen)
        if (isOpen) last.endedAt = minutes
        break
      }
      case 'review': {
        if (last === undefined) break
        const isDue = over(last, minutes) && !last.isReviewed
        const review = { verdict: 'justified', note: 'a note' } as const
        assert.equal(await isDone(reviewBreakGlass(parts, officer(), last.id, review, {})), isDue)
        last.isReviewed ||= isDue
        break
      }
      case 'sweep':
        await Promise.all([sweepBreakGlass(parts, {}), sweepBreakGlass(parts, {})])
        for (const access of accesses) {
          if (over(access, minutes)) access.endedAt ??= access.startedAt + accessMinutes
          access.isAlerted ||= !access.isReviewed && access.startedAt + reviewMinutes <= minutes
        }
        break
      default:
        step satisfies never
    }
    const page = await listBreakGlass(parts, officer(), { limit: 200 }, {})
    const expected = accesses.map(access => [access.id, stateOf(access, minutes)]).reverse()
    assert.deepEqual(
      new Map(page.breakGlass.map(({ id, state }) => [id, state])),
      new Map(expected as [BreakGlassId, string][]),
    )
  }

  const events = await auditEvents(vault, clinic.tenant.id)
  const count = (action: string, reason?: string) =>
    events.filter(
      event =>
        event.action === action &&
        event.outcome === 'allowed' &&
        (reason === undefined || event.reasons.includes(reason)),
    ).length
  assert.equal(count('break_glass.started'), accesses.length)
  assert.equal(count('alert.raised', 'break_glass_started'), accesses.length)
  assert.equal(count('break_glass.ended'), accesses.filter(({ endedAt }) => endedAt !== null).length)
  assert.equal(count('break_glass.reviewed'), accesses.filter(({ isReviewed }) => isReviewed).length)
  assert.equal(count('alert.raised', 'review_overdue'), accesses.filter(({ isAlerted }) => isAlerted).length)
}

test('in any order, states are those of the model, and each start, end, review and alert is logged once', async () => {
  await fc.assert(fc.asyncProperty(steps, live), { numRuns: 40, endOnFailure: true })
})
