// Asks one case of the matrix over a socket, as whoever the case says, and tells what came.
import { problems } from '@auricle/contract'
import type { Case } from './cases.ts'
import { type Input, ofNothing, seedOf } from './seeds.ts'
import { thingsOf } from './things.ts'
import type { Member, World } from './world.ts'

export interface Asked {
  readonly asked: Case
  /** A status, or the last word of a problem's type. */
  readonly got: string
  readonly detail: string
  readonly requestId: string | null
  /** Ids of the other tenant that the answer names and the question did not. */
  readonly foreignIds: readonly string[]
}

export interface MatrixCaller {
  ask(one: Case): Promise<Asked>
}

/** A second factor is fresh for five minutes, and a busy machine takes longer for all calls. */
const freshForMs = 2 * 60_000

const anId = /\b[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}\b/g

export interface CallerOptions {
  readonly world: World
  readonly url: string
  /** Aims a call at something else than what was seeded for it. Default: leaves it as it is. */
  readonly aim?: (one: Case, input: Input) => Input
}

export function createCaller({ world, url, aim = (_, input) => input }: CallerOptions): MatrixCaller {
  const members = new Map<string, Promise<Member>>()
  const bearers = new Map<string, Promise<string>>()
  const once = <Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>) => {
    const found = known.get(key) ?? make()
    known.set(key, found)
    return found
  }
  const homeThings = thingsOf(world.vault, world.home)
  const abroadThings = thingsOf(world.vault, world.abroad)
  const abroad = new Set(JSON.stringify(world.abroad).match(anId))

  /** One of each kind, unless the call ends or changes whoever makes it. */
  async function present({ caller, line }: Case): Promise<{ member: Member | null; bearer: string | null }> {
    if (caller.type === 'anonymous') return { member: null, bearer: null }
    if (caller.type === 'connector') return { member: null, bearer: 'the-secret-of-a-connector' }
    const { roles, options, token, isDisabled } = caller
    const key = JSON.stringify([roles, options, isDisabled])
    const make = () => world.member(roles, options)
    const member = line.uses === 'person' ? await make() : await once(members, key, make)
    const mint = () => world.bearer(member, token)
    const slice = token === 'fresh' ? Math.floor(Date.now() / freshForMs) : 0
    const lasting = `${member.userId} ${token} ${slice}`
    const bearer = line.uses === null ? await once(bearers, lasting, mint) : await mint()
    if (isDisabled) await world.disable(member)
    return { member, bearer }
  }

  return {
    async ask(asked) {
      const { described, line, side, place, label, purpose } = asked
      const { member, bearer } = await present(asked)
      const where = side === 'abroad' ? world.abroad : world.home
      const at = place === null || place === 'another tenant' ? 'owner' : place
      const things = side === 'abroad' ? abroadThings : homeThings
      const self = side === 'abroad' || member === null ? await things.person() : member.userId
      const made = await seedOf(described, line)({ side: where, things, on: line.on, place: at, label, self })
      const named = line.on === 'recording' ? { id: where.recording(at, label), ...made.params } : made.params
      const seeded = aim(asked, { ...made, ...(named === undefined ? {} : { params: named }) })
      const ids = seeded.params
      const isOfNothing = side === 'nowhere'
      const params = Object.entries(ids ?? {}).map(([name, value]) => [
        name,
        isOfNothing ? ofNothing(value) : value,
      ])
      const filters = Object.entries(seeded.query ?? {}).map(([name, value]) => [
        name,
        isOfNothing ? ofNothing(value) : value,
      ])
      const query = new URLSearchParams({
        ...Object.fromEntries(filters),
        ...(purpose === null ? {} : { purpose }),
      })
      const path = params.reduce(
        (text, [name, value]) => text.replace(`{${name}}`, String(value)),
        described.path,
      )
      const body = JSON.stringify(seeded.body, (_, value) =>
        isOfNothing && typeof value === 'string' ? ofNothing(value) : value,
      )
      const response = await fetch(`${url}${path}${query.size > 0 ? `?${query}` : ''}`, {
        method: described.method,
        redirect: 'manual',
        headers: headersOf(bearer, seeded),
        ...(body === undefined ? {} : { body }),
      })
      const isText = /json|text/.test(response.headers.get('content-type') ?? '')
      const bytes = Buffer.from(await response.arrayBuffer())
      const text = isText ? bytes.toString('utf8') : ''
      const given = new Set(`${path} ${body}`.match(anId))
      return {
        asked,
        got: outcomeOf(response, text),
        detail: response.ok ? '' : text,
        requestId: response.headers.get('x-request-id'),
        foreignIds: (text.match(anId) ?? []).filter(one => abroad.has(one) && !given.has(one)),
      }
    },
  }
}

function headersOf(bearer: string | null, { body }: Input): Record<string, string> {
  return {
    ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
}

/** Of an answer without a body the status is all there is: the problems that may have it. */
const problemsOfHead: Readonly<Record<number, string>> = {
  [problems.denied.status]: 'denied or purpose-required',
  [problems.notFound.status]: 'not-found',
  [problems.unauthenticated.status]: 'unauthenticated',
}

function outcomeOf(response: Response, text: string): string {
  if (!/^application\/problem\+json/.test(response.headers.get('content-type') ?? ''))
    return String(response.status)
  if (text !== '') return (JSON.parse(text) as { type: string }).type.split(':').at(-1) ?? text
  const isStepUp =
    response.headers.get('www-authenticate')?.includes('insufficient_user_authentication') === true
  return isStepUp ? 'step-up-required' : (problemsOfHead[response.status] ?? String(response.status))
}
