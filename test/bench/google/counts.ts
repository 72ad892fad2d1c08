// Rows of counts: what a recording costs in calls of the key service and of the object store.
import type { Row } from '../report.ts'
import { type Account, callsOf, type KeyCalls } from './accounts.ts'
import { type Hearing, seeks } from './hear.ts'
import { type Life, liveThrough } from './life.ts'

export async function countCalls(): Promise<readonly Row[]> {
  const lives = await liveThrough()
  return [...keyRows(lives), ...lives.flatMap(storageRows)]
}

function keyRows(lives: readonly Life[]): Row[] {
  const recordings = lives.reduce((sum, { kind }) => sum + kind.count, 0)
  const brought = lives.flatMap(({ delivered, archived, copied }) => [delivered, archived, copied])
  const heard = lives.flatMap(life => life.heard)
  const heardUncached = lives.flatMap(life => life.heardUncached)
  const all = [...brought, ...[...heard, ...heardUncached].flatMap(accountsOf)]
  const wraps = perRecording(all.map(account => account.wraps))
  const unwraps = perRecording(brought.map(account => account.unwraps))
  const others = (accounts: readonly Account[]) =>
    accounts.reduce((sum, account) => sum + account.unwraps.others, 0)
  const sessions = (hearings: readonly Hearing[]) =>
    hearings.map(hearing => sumOf(perRecording(accountsOf(hearing).map(account => account.unwraps))))
  const detail = `${recordings} recordings, ${sumOf(wraps)} wraps`
  const row = (name: string, measured: number, target: Row['target'], how: string): Row => ({
    name,
    measured,
    unit: 'count',
    target,
    detail: how,
  })
  const session = `begin, ${seeks} seeks, waveform, export`
  return [
    row('recordings that were wrapped for', wraps.size, { atLeast: recordings }, detail),
    row('wraps a recording in all its life, most', Math.max(...wraps.values()), { atMost: 1 }, detail),
    row('wraps a recording in all its life, least', Math.min(...wraps.values()), { atLeast: 1 }, detail),
    row(
      'unwraps a recording from delivery to its copy, most',
      Math.max(0, ...unwraps.values()),
      { atMost: 1 },
      `${sumOf(unwraps)} in all, ${sumOf(perRecording(lives.map(life => life.delivered.unwraps)))} of them at delivery`,
    ),
    row(
      'unwraps a playback session, most',
      Math.max(...sessions(heard)),
      { atMost: 1 },
      `${session}; ${heard.length} sessions`,
    ),
    row(
      'the same where no unwrapped keys are kept',
      Math.max(...sessions(heardUncached)),
      { atMost: 1 },
      'AURICLE_KEY_CACHE_MS=0',
    ),
    row(
      'unwraps of a tenant, not of a recording, in all of it',
      others(all),
      null,
      `column and connector secrets, signing keys: ingest ${others(lives.map(life => life.delivered))}, worker ${others(
        lives.flatMap(({ archived, copied }) => [archived, copied]),
      )}, API ${others([...heard, ...heardUncached].flatMap(accountsOf))}, by ${lives.length * 5} processes`,
    ),
  ]
}

const accountsOf = ({ begun, sought, drawn, exported }: Hearing) => [begun, sought, drawn, exported]

function perRecording(calls: readonly KeyCalls[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { recordings } of calls) {
    for (const [recording, count] of recordings) sums.set(recording, (sums.get(recording) ?? 0) + count)
  }
  return sums
}

const sumOf = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, n) => sum + n, 0)

function storageRows({ kind, delivered, archived, copied, heard }: Life): Row[] {
  const row = (stretch: string, account: Account, units: number): Row => ({
    name: `storage calls, ${kind.title}: ${stretch}`,
    measured: callsOf(account) / units,
    unit: 'count',
    target: null,
    detail: Object.entries(account.storage)
      .map(([operation, count]) => `${operation} ${Number((count / units).toFixed(2))}`)
      .join(', '),
  })
  const merged = (pick: (hearing: Hearing) => Account) => merge(heard.map(pick))
  return [
    row('delivery', delivered, kind.count),
    row('archive', archived, kind.count),
    row('copy', copied, kind.count),
    row(
      'playback begins',
      merged(({ begun }) => begun),
      kind.count,
    ),
    row(
      'a seek',
      merged(({ sought }) => sought),
      kind.count * seeks,
    ),
    row(
      'waveform',
      merged(({ drawn }) => drawn),
      kind.count,
    ),
    row(
      'export',
      merged(({ exported }) => exported),
      kind.count,
    ),
  ]
}

function merge(accounts: readonly Account[]): Account {
  const storage: Record<string, number> = {}
  for (const account of accounts) {
    for (const [operation, count] of Object.entries(account.storage)) {
      storage[operation] = (storage[operation] ?? 0) + count
    }
  }
  const none: KeyCalls = { recordings: new Map(), others: 0 }
  return { storage, wraps: none, unwraps: none }
}
