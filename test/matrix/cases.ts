// Every case of the matrix: each operation as everybody who may ask, on whatever it may be asked of, and what must come.
import { Label, Purpose, Role, Scope } from '@auricle/contract'
import type { Described } from './document.ts'
import { namesInBody, namesNothing } from './seeds.ts'
import {
  type OperationLine,
  type Place,
  places,
  purposesOf,
  recordingActions,
  recordingLines,
  rightLines,
} from './table.ts'
import { everyRole, type MemberOptions, type TokenKind } from './world.ts'

export type Caller =
  | { readonly type: 'anonymous' }
  /** With what a PBX signs in with. */
  | { readonly type: 'connector' }
  | {
      readonly type: 'member'
      /** As the table calls them. */
      readonly who: string
      readonly roles: readonly Role[]
      readonly options: MemberOptions
      readonly token: TokenKind
      readonly isDisabled: boolean
    }

export interface Case {
  readonly described: Described
  readonly line: OperationLine
  readonly caller: Caller
  /** Whose the thing is; `nowhere` for an id of nothing. */
  readonly side: 'home' | 'abroad' | 'nowhere'
  readonly place: Place | null
  readonly label: string
  readonly purpose: Purpose | null
  /** Any of them: a status, or the last word of a problem's type. */
  readonly expected: readonly string[]
}

export function casesOf(documented: readonly Described[]): readonly Case[] {
  return documented.flatMap(described =>
    described.lines.flatMap(line => {
      const isOfRecording = recordingActions.some(action => action === line.decides)
      const cases =
        line.needs === 'public'
          ? publicCases(line)
          : isOfRecording
            ? recordingCases(described, line)
            : rightCases(described, line)
      return [...cases, ...(line.needs === 'public' ? [] : outsiders())].map(one => ({
        ...{ described, line, side: 'home' as const, place: null, label: 'none', purpose: null },
        ...one,
      }))
    }),
  )
}

type Part = Partial<Case> & Pick<Case, 'caller' | 'expected'>

const unauthenticated = ['unauthenticated']

const member = (
  who: string,
  roles: readonly Role[],
  token: TokenKind = 'fresh',
  options: MemberOptions = {},
): Caller => ({ type: 'member', who, roles, token, options, isDisabled: false })

const alone: readonly (readonly [string, readonly Role[]])[] = [
  ...Role.options.map(role => [role, [role]] as const),
  ['nobody', []],
]

/** Those who are nobody to any operation, also while they hold every role. */
function outsiders(): Part[] {
  const tokens = ['expired', 'revoked', 'idle'] as const
  const disabled: Caller = { ...member('everybody', everyRole), isDisabled: true } as Caller
  return [
    { caller: { type: 'anonymous' }, expected: unauthenticated },
    { caller: { type: 'connector' }, expected: unauthenticated },
    { caller: disabled, expected: unauthenticated },
    ...tokens.map(token => ({ caller: member('everybody', everyRole, token), expected: unauthenticated })),
  ]
}

function publicCases({ answer }: OperationLine): Part[] {
  const callers: Caller[] = [
    { type: 'anonymous' },
    { type: 'connector' },
    ...alone.map(([who, roles]) => member(who, roles)),
    member('everybody', everyRole, 'revoked'),
  ]
  return callers.map(caller => ({ caller, expected: [answer] }))
}

// --- recordings ---

const labels = ['none', ...Label.options] as const
const allPlaces = Object.keys(places) as Place[]
/** Where those who hear nothing are tried on every label, and tokens of programs. */
const telling: readonly Place[] = ['owner', 'other', 'another tenant']
const hearers = ['clinician', 'supervisor', 'compliance_officer'] as const

interface Hearer {
  readonly who: string
  readonly roles: readonly Role[]
  readonly label: (typeof labels)[number]
}

/** Each role by itself on every label, and those who hear with the key to the label as well. */
const everyHearer: readonly Hearer[] = [
  ...alone.flatMap(([who, roles]) => labels.map(label => ({ who, roles, label }))),
  ...hearers.flatMap(role =>
    Label.options.map(label => ({ who: `${role}+key`, roles: [role, `hears_${label}`] as const, label })),
  ),
]

function recordingCases({ takesPurpose }: Described, line: OperationLine): Part[] {
  const parts: Part[] = []
  const add = (
    { who, roles, label }: Hearer,
    place: Place,
    change: { token?: TokenKind; options?: MemberOptions; purpose?: Purpose | null } = {},
  ) => {
    const { token = 'fresh', options = {}, purpose = null } = change
    const asked = { who: 'roles' in options ? 'nobody' : who, place, label, purpose, token }
    const isEmergency = options.emergency === 'open' && ['fresh', 'stale'].includes(token)
    parts.push({
      caller: member(who, roles, token, options),
      side: place === 'another tenant' ? 'abroad' : 'home',
      place,
      label,
      purpose,
      expected: expectedOf(line, { ...asked, isEmergency }),
    })
  }
  for (const hearer of everyHearer) {
    const mayHear = hearers.some(role => hearer.who.startsWith(role))
    for (const place of allPlaces) {
      const isTelling = telling.includes(place)
      if (mayHear || isTelling || hearer.label === 'none') add(hearer, place)
      if (mayHear || (isTelling && hearer.label === 'none'))
        add(hearer, place, { options: { emergency: 'open' } })
      if (hearer.label !== 'none') continue
      if (mayHear || place === 'owner') {
        add(hearer, place, { options: { emergency: 'over' } })
        add(hearer, place, { token: 'stale' })
        add(hearer, place, { token: 'program' })
      }
      if (!mayHear || !isTelling) continue
      add(hearer, place, { token: 'program', options: { emergency: 'open' } })
      add(hearer, place, { token: 'program', options: { kind: 'service' } })
      for (const roles of ['until', 'revoked'] as const) add(hearer, place, { options: { roles } })
    }
  }
  const owner = { who: 'clinician', roles: ['clinician'], label: 'none' } as const
  for (const scope of Scope.options) {
    add(owner, 'owner', { token: `only ${scope}` })
    add(owner, 'owner', { token: `without ${scope}` })
  }
  add(owner, 'owner', { token: 'scopeless' })
  const stating = everyHearer.filter(({ who, label }) => {
    return hearers.some(role => role === who) ? label === 'none' : /\+key$/.test(who) && /^p/.test(label)
  })
  for (const hearer of takesPurpose ? stating : []) {
    for (const purpose of Purpose.options) {
      for (const place of ['owner', 'supervised', 'other'] as const) {
        add(hearer, place, { purpose })
        if (hearer.label === 'none') add(hearer, place, { purpose, options: { emergency: 'open' } })
      }
    }
  }
  parts.push({ caller: member('clinician', ['clinician']), side: 'nowhere', expected: ['not-found'] })
  return parts
}

interface RecordingQuestion {
  readonly who: string
  readonly place: Place
  readonly label: string
  readonly isEmergency: boolean
  readonly token: TokenKind
  readonly purpose: Purpose | null
}

function expectedOf({ decides, answer }: OperationLine, question: RecordingQuestion): readonly string[] {
  const { who, place, token, purpose } = question
  if (place === 'another tenant') return ['not-found']
  const line = recordingLines.find(({ fits }) => fits(question))
  const column = recordingActions.map(String).indexOf(decides)
  const purposes = purposesOf[line?.cells[column] ?? '']
  if (purposes === undefined)
    throw new Error(`The table does not say of ${decides}: ${JSON.stringify(question)}`)
  const scope = recordingScopes[decides] ?? null
  if (!reaches(token, scope) || purposes.length === 0) return ['denied']
  if (!purposes.includes(purpose ?? 'none')) {
    return purpose === null && !who.startsWith('clinician')
      ? ['purpose-required']
      : ['purpose-required', 'denied']
  }
  const isFresh = decides === 'recording.export' || decides === 'recording.unlabel'
  return isFresh && token === 'stale' ? ['step-up-required'] : [answer]
}

const recordingScopes: Readonly<Record<string, Scope>> = {
  'recording.show': 'recordings.read',
  'recording.play': 'recordings.play',
  'recording.export': 'recordings.export',
  'recording.mark': 'recordings.mark',
  'recording.label': 'recordings.mark',
}

/** Whether a token is of any use for what takes the scope; null takes a session. */
function reaches(token: TokenKind, scope: string | null): boolean {
  if (token === 'fresh' || token === 'stale') return true
  if (scope === null) return false
  if (scope === 'any' || token === 'program') return true
  if (token.startsWith('only ')) return token === `only ${scope}`
  return token.startsWith('without ') && token !== `without ${scope}`
}

// --- everything else ---

function rightCases({ asks, operation }: Described, line: OperationLine): Part[] {
  const right = rightLines.find(({ action, on }) => action === line.decides && on === line.on)
  if (right === undefined) {
    throw new Error(`${operation} takes ${line.decides} on ${line.on}, which is not in the table of rights.`)
  }
  const expected = (who: string, token: TokenKind): string => {
    const takes = right.takes(who)
    if (!reaches(token, right.program === '-' ? null : right.program) || takes === '.') return 'denied'
    return takes === 'f' && token === 'stale' ? 'step-up-required' : line.answer
  }
  const parts: Part[] = []
  const add = (who: string, roles: readonly Role[], token: TokenKind, options: MemberOptions = {}) => {
    const as = 'roles' in options ? 'nobody' : who
    parts.push({ caller: member(who, roles, token, options), expected: [expected(as, token)] })
  }
  for (const [who, roles] of alone) {
    for (const token of ['fresh', 'stale', 'program'] as const) add(who, roles, token)
    if (who === 'clinician' || who === 'supervisor') {
      // It is opened once at a time.
      if (line.decides === 'break_glass.start') {
        parts.push({ caller: member(who, roles, 'fresh', { emergency: 'open' }), expected: ['conflict'] })
      } else add(who, roles, 'fresh', { emergency: 'open' })
    }
  }
  const [who, roles] = alone.find(([name]) => right.takes(name) !== '.') ?? ['nobody', []]
  for (const over of ['until', 'revoked'] as const) add(who, roles, 'fresh', { roles: over })
  add(who, roles, 'scopeless')
  add(who, roles, 'program', { kind: 'service' })
  for (const scope of scopesNear(right.program)) {
    add(who, roles, `only ${scope}`)
    add(who, roles, `without ${scope}`)
  }
  const isOfThing = (asks.length > 0 && !namesNothing.has(operation)) || namesInBody.has(operation)
  if (!isOfThing || isOfCaller(line.on)) return parts
  // Whose right it is gets the answer that nobody can tell from that for an id of nothing; others may be refused first.
  for (const side of ['abroad', 'nowhere'] as const) {
    for (const [who, roles] of alone) {
      for (const token of side === 'abroad'
        ? (['fresh', 'stale', 'program'] as const)
        : (['fresh'] as const)) {
        const own = expected(who, token)
        const refusal = ['denied', 'step-up-required'].includes(own) ? [own] : []
        parts.push({ caller: member(who, roles, token), side, expected: ['not-found', ...refusal] })
      }
    }
  }
  return parts
}

/** The scope, and one that is not it. */
function scopesNear(program: string): readonly Scope[] {
  return Scope.options.filter(scope => scope === program || scope === 'recordings.mark')
}

/** What is the caller's own exists in their tenant only. */
const isOfCaller = (on: string) => on.startsWith('own ') || on.endsWith(' oneself')
