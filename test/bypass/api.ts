// Every operation of the served document, by everybody, aimed at recordings that are kept: their ids, that of their hold,
// their rules and their disposition stand wherever an id fits.
import { Role, RuleDefinition } from '@auricle/contract'
import { auditRecord } from '@auricle/vault'
import { auditEvents } from '../audit-log.ts'
import { type Asked, createCaller } from '../matrix/call.ts'
import type { Caller, Case } from '../matrix/cases.ts'
import type { Described } from '../matrix/document.ts'
import type { Input } from '../matrix/seeds.ts'
import type { OperationLine } from '../matrix/table.ts'
import { everyRole, type TokenKind, type World } from '../matrix/world.ts'
import type { Attempt } from './attempt.ts'
import type { Guard, GuardedRecording } from './guarded.ts'

const callsAtOnce = 6

const member = (
  who: string,
  roles: readonly Role[],
  token: TokenKind = 'fresh',
  more: Partial<Extract<Caller, { readonly type: 'member' }>> = {},
): Caller => ({ type: 'member', who, roles, token, options: {}, isDisabled: false, ...more })

/** Those who may do the most: aimed at each recording. */
const mighty: readonly Caller[] = [
  member('everybody', everyRole),
  member('compliance_officer', ['compliance_officer']),
  member('administrator', ['administrator']),
  member('clinician', ['clinician'], 'fresh', { options: { emergency: 'open' } }),
]

/** Aimed at one recording each, by turns. */
const others: readonly Caller[] = [
  { type: 'anonymous' },
  { type: 'connector' },
  ...Role.options.flatMap(role => [member(role, [role]), member(role, [role], 'program')]),
  member('nobody', []),
  member('everybody', everyRole, 'stale'),
  member('everybody', everyRole, 'program'),
  member('everybody', everyRole, 'program', { options: { kind: 'service' } }),
  member('everybody', everyRole, 'scopeless'),
  member('everybody', everyRole, 'expired'),
  member('everybody', everyRole, 'revoked'),
  member('everybody', everyRole, 'idle'),
  member('everybody', everyRole, 'fresh', { isDisabled: true }),
  member('everybody', everyRole, 'fresh', { options: { roles: 'revoked' } }),
]

/** What takes protection away by itself is for whoever has this role, with a fresh second factor. */
const officer = 'compliance_officer'

const shortest = RuleDefinition.parse({ keep: { days: 1 }, dispose: 'automatic' })

export interface ApiAttempts {
  readonly attempts: readonly Attempt[]
  readonly calls: number
  readonly operations: number
  /** How many of the operations took an id of what is kept. */
  readonly aimed: number
  /** Refusals of somebody whom the vault knows. */
  readonly refusals: number
}

export async function tryApi(
  guard: Guard,
  {
    world,
    url,
    described,
  }: { readonly world: World; readonly url: string; readonly described: readonly Described[] },
): Promise<ApiAttempts> {
  const targets = new WeakMap<Case, GuardedRecording>()
  const aimedCases = new WeakSet<Case>()
  const aboutHeld = await eventsAboutHeld(guard)
  const aim = (one: Case, input: Input): Input => {
    const target = targets.get(one)
    if (target === undefined) return input
    const { input: aimed, isAimed } = aimAt(guard, target, aboutHeld, one, input)
    if (isAimed) aimedCases.add(one)
    return aimed
  }
  const caller = createCaller({ world, url, aim })
  const attempts: Attempt[] = []
  let calls = 0
  let aimed = 0

  const requests = new Set<string>()
  for (const one of described) {
    for (const line of one.lines) {
      const aimedAt = (who: Caller, target: GuardedRecording): Case => {
        const made = caseOf(one, line, who)
        targets.set(made, target)
        return made
      }
      const before = await guard.look()
      const ask = async (cases: readonly Case[]): Promise<readonly Asked[]> => {
        const answers: Asked[] = []
        const waiting = cases.values()
        const lane = async () => {
          for (const each of waiting) answers.push(await caller.ask(each))
        }
        await Promise.all(Array.from({ length: callsAtOnce }, lane))
        return answers
      }
      const all = mighty.flatMap(who => guard.recordings.map(target => aimedAt(who, target)))
      const byTurns = others.map((who, index) => aimedAt(who, atTurn(guard.recordings, index)))
      const [probe] = byTurns
      const answers: Asked[] = []
      if (probe !== undefined) answers.push(...(await ask([probe])))
      const isAimed = probe !== undefined && aimedCases.has(probe)
      const cases = isAimed ? [...all, ...byTurns.slice(1)] : [...byTurns.slice(1, 3), ...all.slice(0, 1)]
      // Whoever may take a hold off comes last, so that everybody else meets it.
      answers.push(...(await ask(cases.filter(each => !mayRelease(each.caller)))))
      const harm = [...(await guard.harm(before))]
      answers.push(...(await ask(cases.filter(each => mayRelease(each.caller)))))
      harm.push(...(await guard.harm(before, { holdsStay: !releases.has(line.operation) })))
      calls += answers.length
      if (isAimed) {
        aimed++
        attempts.push(attemptOf(one, line, answers, harm))
        await guard.restore()
      } else if (harm.length > 0) attempts.push(attemptOf(one, line, answers, harm))
      for (const answer of answers) if (isRefusalOfSomebody(answer)) requests.add(answer.requestId ?? 'none')
    }
  }
  const events = await auditEvents(guard.vault, guard.tenantId)
  const denied = new Set(events.filter(({ outcome }) => outcome === 'denied').map(({ request }) => request))
  const silent = [...requests].filter(request => !denied.has(request))
  attempts.push({
    ...{ wall: 'api', what: 'every refusal of somebody is in the log', by: 'all of these' },
    ...{ refused: 'denied', logged: 'its own action, denied' },
    harm: silent.length === 0 ? [] : [`${silent.length} refusals are not in the log`],
  })
  return { attempts, calls, operations: described.length, aimed, refusals: requests.size }
}

const releases: ReadonlySet<string> = new Set(['releaseHold', 'releaseHeldRecording'])

function mayRelease(who: Caller): boolean {
  return who.type === 'member' && who.roles.includes(officer) && who.token === 'fresh'
}

function atTurn(recordings: readonly GuardedRecording[], index: number): GuardedRecording {
  const found = recordings[index % recordings.length]
  if (found === undefined) throw new RangeError('nothing is guarded')
  return found
}

const caseOf = (described: Described, line: OperationLine, caller: Caller): Case => ({
  ...{
    described,
    line,
    caller,
    side: 'home',
    place: line.on === 'recording' ? 'owner' : null,
    label: 'none',
  },
  ...{ purpose: described.takesPurpose ? 'investigation' : null, expected: [] },
})

function aimAt(
  guard: Guard,
  target: GuardedRecording,
  aboutHeld: string,
  { line: { operation } }: Case,
  input: Input,
): { readonly input: Input; readonly isAimed: boolean } {
  const isHeld = target.reason.startsWith('held')
  const ids: Readonly<Record<string, string>> = {
    ...{ rec: target.id, hld: guard.hold, rul: target.rule, dsp: guard.disposition },
    // What is told of what is not held may be dropped by whoever may.
    ...(isHeld ? { evt: aboutHeld } : {}),
  }
  let isAimed = false
  const swap = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const id = anId.test(value) ? ids[value.slice(0, 3)] : undefined
      isAimed ||= id !== undefined
      return id ?? value
    }
    if (Array.isArray(value)) return value.map(swap)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, swap(inner)]))
  }
  const aimed = swap({ ...input, ...bodyOf(operation, input, target) }) as Input
  const version =
    operation === 'approveRuleVersion' || operation === 'withdrawRuleVersion' ? { version: '2' } : {}
  return {
    isAimed,
    input: aimed.params === undefined ? aimed : { ...aimed, params: { ...aimed.params, ...version } },
  }
}

const anId = /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$/

/** What would keep a recording for the shortest, in the place of what was seeded. */
function bodyOf(operation: string, { body }: Input, { id }: GuardedRecording): Pick<Input, 'body'> {
  switch (operation) {
    case 'decideRecordSet':
      return { body: { recording: id, decision: 'out', rationale: 'of a test' } }
    case 'recordRetentionEvent':
      return { body: { kind: 'discharged', recording: id, at: '2020-01-03T04:05:06Z' } }
    default:
      return typeof body === 'object' && body !== null && 'definition' in body
        ? { body: { ...body, definition: shortest } }
        : { ...(body === undefined ? {} : { body }) }
  }
}

function attemptOf(
  { method, path }: Described,
  line: OperationLine,
  answers: readonly Asked[],
  harm: readonly string[],
): Attempt {
  const isAllowed = ({ got }: Asked) => /^2\d\d$/.test(got)
  const refusals = [...new Set(answers.filter(one => !isAllowed(one)).map(({ got }) => got))].sort()
  const whoOf = ({ asked: { caller: who } }: Asked) => (who.type === 'member' ? who.who : who.type)
  const allowed = [...new Set(answers.filter(isAllowed).map(whoOf))].sort()
  const told = releases.has(line.operation)
    ? 'the hold alone, and no byte goes by it'
    : 'nothing is lost by it'
  return {
    ...{ wall: 'api', harm },
    what: `${method} ${path}${line.use === null ? '' : `, ${line.use}`}`,
    by: `${answers.length} calls of everybody`,
    refused: [
      ...refusals,
      ...(allowed.length === 0 ? [] : [`allowed to ${allowed.join(', ')}: ${told}`]),
    ].join(', '),
    logged: 'its own action, denied or allowed',
  }
}

/** Whoever came with a token that holds was refused by a decision about them. */
function isRefusalOfSomebody({ got, asked: { caller: who, line } }: Asked): boolean {
  return (
    who.type === 'member' &&
    (/^(denied|purpose-required|step-up-required)/.test(got) ||
      (got === 'not-found' && line.on === 'recording'))
  )
}

/** An event with a private part about a recording that is held. */
async function eventsAboutHeld({ vault, tenantId, find }: Guard): Promise<string> {
  const { id } = find('held, its retention over')
  const { privateParts: key } = await vault.secrets.get(tenantId, {})
  const event = await auditRecord(
    {
      ...{ tenantId, action: 'recording.shown', outcome: 'allowed', request: null },
      actor: { type: 'system', name: 'operator' },
      object: { type: 'recording', id, version: null },
    },
    { part: { ip: '192.0.2.7' }, key },
  )
  await vault.catalog.appendEvents([event])
  return event.id
}
