// What it costs to know who asks and to decide: requests with access control beside the same without.
import { join } from 'node:path'
import { openAuthority } from '@auricle/api-service'
import { MailboxId, newMailboxId, newRecordingId, newTokenId } from '@auricle/contract'
import { can } from '@auricle/identity'
import { actorOf, auditRecord } from '@auricle/vault'
import pg from 'pg'
import { openStack } from '../../harness/stack.ts'
import type { Row } from '../report.ts'
import { median } from '../rounds.ts'
import { startChild } from '../system/child.ts'
import { openBenchClinic } from '../system/clinic.ts'
import { type Place, serviceEnvironment } from '../system/product.ts'
import type { BareServer } from './bare-server.ts'
import { bringInCalls } from './calls.ts'
import { quantile, runLoad } from './load.ts'

export const method =
  'The API in a process of its own, asked with the signed token of a session: verified, its person, roles, mailboxes and ' +
  'emergency access looked up and `can()` asked, on every request. Beside it, in a process of its own, the same handlers ' +
  'on an Express app without guards, where the person was looked up once and every decision is yes; a range looks its ' +
  'recording up there too. Both write the access event of a list. In turn, the order changing with each round; a cost is ' +
  'the median over the rounds of the difference within one round.'

const recordingsListed = 6
const hourMs = 60 * 60_000
const rounds = 5
const warmUps = 1
const connectionCounts = [8, 32] as const
const queries = 500
const decisions = 200_000

export async function runAccess(): Promise<readonly Row[]> {
  await using place = await openStack({ name: 'bench', logLevel: 'info', workerConcurrency: 2 })
  const clinic = await openBenchClinic(place)
  const recordingIds = await bringInCalls(
    place,
    `${clinic.upload.id}/call.wav`,
    clinic.upload.secret,
    recordingsListed,
  )
  const session = await openSession(place, clinic.tenant.id)
  const env = serviceEnvironment(place, 'api')
  const startedApi = await startChild<number>(
    join(import.meta.dirname, '..', 'range', 'api-server.ts'),
    [],
    env,
  )
  await using _api = startedApi.child
  const startedBare = await startChild<BareServer>(join(import.meta.dirname, 'bare-server.ts'), [], {
    ...env,
    BENCH_TOKEN: session.token,
  })
  await using _bare = startedBare.child

  const authorization = `Bearer ${session.token}`
  const routes = [
    { name: 'who am I', path: '/v1/me', headers: { authorization }, status: 200, requests: 600 },
    { name: 'list', path: '/v1/recordings', headers: { authorization }, status: 200, requests: 300 },
    {
      name: 'range of 64 KiB',
      path: `/v1/recordings/${recordingIds[0]}/audio?role=original`,
      headers: { authorization, range: 'bytes=0-65535' },
      status: 206,
      requests: 400,
    },
  ]
  const rows: Row[] = []
  for (const { name, ...route } of routes) {
    for (const connections of connectionCounts) {
      const samples = { ours: [] as Quantiles[], bare: [] as Quantiles[] }
      for (let round = -warmUps; round < rounds; round++) {
        const order = round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)
        for (const side of order) {
          const port = side === 'ours' ? startedApi.hello : startedBare.hello.port
          const tookMs = await runLoad({ ...route, port, connections })
          if (round >= 0) samples[side].push({ p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) })
        }
      }
      rows.push(
        ...(['p50', 'p99'] as const).map(share =>
          costOf(`${name}, ${connections} connections`, share, samples),
        ),
      )
    }
  }
  return [...rows, ...(await timeParts(place, session, recordingIds[0] ?? ''))]
}

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

function costOf(
  name: string,
  share: keyof Quantiles,
  { ours, bare }: { readonly ours: readonly Quantiles[]; readonly bare: readonly Quantiles[] },
): Row {
  const differences = ours.map((one, round) => one[share] - (bare[round]?.[share] ?? Number.NaN))
  const sides = [ours, bare].map(side => `${median(side.map(one => one[share])).toFixed(2)} ms`)
  return {
    name: `${name}, cost at ${share}`,
    measured: median(differences),
    unit: 'ms',
    target: null,
    detail: sides.join(' against '),
  }
}

// --- the parts alone ---

interface BenchSession {
  readonly token: string
  readonly actor: ReturnType<typeof actorOf>
}

async function timeParts(
  place: Place,
  { actor }: BenchSession,
  recordingId: string,
): Promise<readonly Row[]> {
  const mailboxes = Array.from(
    { length: 20 },
    () => ({ mailboxId: newMailboxId(), kind: 'team', until: null }) as const,
  )
  const person = { ...actor, mailboxes: [...mailboxes, ...actor.mailboxes] }
  const mailboxId = MailboxId.parse(actor.mailboxes[0]?.mailboxId)
  const { tenantId } = actor
  const resource = {
    type: 'recording',
    tenantId,
    recordingId: newRecordingId(),
    mailboxId,
    labels: [],
  } as const
  const circumstances = { now: new Date(), purpose: null }
  const timed = Array.from({ length: rounds + warmUps }, () => {
    const startedMs = performance.now()
    for (let turn = 0; turn < decisions; turn++) can(person, 'recording.play', resource, circumstances)
    return (performance.now() - startedMs) / decisions
  }).slice(warmUps)

  await using stack = new AsyncDisposableStack()
  const client = stack.adopt(new pg.Client(place.postgres.app), open => open.end())
  await client.connect()
  await client.query("select set_config('auricle.tenant', $1, false)", [tenantId])
  const time = async (name: string, text: string, values: readonly unknown[]): Promise<Row> => {
    const tookMs: number[] = []
    for (let turn = 0; turn < queries; turn++) {
      const startedMs = performance.now()
      await client.query({ name, text, values: [...values] })
      tookMs.push(performance.now() - startedMs)
    }
    const detail = `p99 ${quantile(tookMs, 0.99).toFixed(2)} ms, ${queries} times over one connection`
    return { name, measured: quantile(tookMs, 0.5), unit: 'ms', target: null, detail }
  }
  const { userId, tokenId } = actor
  return [
    {
      name: 'can(), 21 mailboxes',
      measured: median(timed) * 1000,
      unit: 'us',
      target: null,
      detail: `a call, of ${decisions.toLocaleString('en-US')} in a row`,
    },
    await time('a query that does nothing', 'select 1', []),
    await time('access_facts', 'select * from auricle.access_facts($1, $2, null, now())', [tenantId, userId]),
    await time('find_bearer', 'select * from auricle.find_bearer($1, $2, now())', [tenantId, tokenId]),
    await time('find_play_facts', 'select * from auricle.find_play_facts($1, $2, $3, $4, now(), true)', [
      ...[tenantId, tokenId, recordingId, 'original'],
    ]),
  ]
}

/** A session of the clinician, as if they had signed in. */
async function openSession(
  { adapters }: Place,
  tenantId: BenchSession['actor']['tenantId'],
): Promise<BenchSession> {
  const { catalog } = adapters
  const user = await catalog.findUserByLogin(tenantId, 'clinician')
  if (user === null) throw new Error('The clinic has no clinician')
  const now = new Date()
  const facts = { id: newTokenId(), tenantId, userId: user.id, purpose: 'session', createdAt: now } as const
  const times = { expiresAt: new Date(now.getTime() + hourMs), idleMs: null, verifiedAt: now }
  const row = {
    ...facts,
    ...times,
    scopes: null,
    name: null,
    secretHash: null,
    factors: ['pwd', 'otp'] as const,
  }
  const actor = { type: 'system', name: 'operator' } as const
  const event = {
    tenantId,
    action: 'token.issued',
    outcome: 'allowed',
    actor,
    object: null,
    request: null,
  } as const
  await catalog.addToken(row, await auditRecord(event, null))
  const found = await catalog.findBearer(tenantId, row.id, now)
  if (found === null) throw new Error('The session just made does not hold')
  const { issueToken } = await openAuthority(adapters, {})
  return {
    token: await issueToken(row),
    actor: actorOf({ tenantId, userId: user.id, tokenId: row.id, ...found }),
  }
}
