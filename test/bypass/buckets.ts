// What each identity of the services can do to what two buckets keep, by the rights that Terraform grants it: nothing that
// deletes, replaces or shortens.
import type { File } from '@google-cloud/storage'
import type { Caller } from '../emulators/callers.ts'
import { client } from '../emulators/gcs/fixture.ts'
import { startGcsEmulator } from '../emulators/gcs/server.ts'
import { lawfulSettings } from '../harness/emulated-bucket.ts'
import { type GoogleIdentity, readCallers, readOfficer } from '../harness/rights.ts'
import type { Attempt } from './attempt.ts'

const places = {
  recordings: 'clinic-recordings',
  recovery: 'clinic-recovery',
  log: 'clinic-log',
  keyRing: 'projects/clinic-keys/locations/europe-west3/keyRings/auricle',
} as const

const identities: readonly (GoogleIdentity | 'retention_officer')[] = [
  'ingest',
  'worker',
  'disposer',
  'api',
  'operator',
  'retention_officer',
]
const curtain = 'behind-the-curtain'
const everything: Caller = {
  permissions: [
    'buckets.get',
    ...['create', 'get', 'list', 'update', 'setRetention', 'overrideUnlockedRetention', 'delete'].map(
      verb => `objects.${verb}`,
    ),
  ].map(name => `storage.${name}`),
}

const dayMs = 86_400_000
const inAYear = new Date(Date.now() + 365 * dayMs).toISOString()
const tomorrow = new Date(Date.now() + dayMs).toISOString()

type Metadata = Parameters<File['setMetadata']>[0]

const kinds: Readonly<Record<string, Metadata>> = {
  'retained for good': { retention: { mode: 'Locked', retainUntilTime: inAYear } },
  'retained, unlocked': { retention: { mode: 'Unlocked', retainUntilTime: inAYear } },
  'held, its retention over': { temporaryHold: true },
  'held and retained': { temporaryHold: true, retention: { mode: 'Locked', retainUntilTime: inAYear } },
}

interface Seen {
  readonly generation: string
  readonly size: string
  readonly until: string
  readonly mode: string
  readonly held: boolean
}

export async function tryBuckets(): Promise<readonly Attempt[]> {
  const callers = {
    ...(await readCallers(places)),
    retention_officer: await readOfficer(places),
    [curtain]: everything,
  }
  await using gcs = await startGcsEmulator({ callers })
  for (const bucket of [places.recordings, places.recovery]) gcs.createBucket(bucket, lawfulSettings)
  const as = (token: string, bucket: string) =>
    client(gcs, { token, retryOptions: { autoRetry: false } }).bucket(bucket)
  const attempts: Attempt[] = []

  for (const bucket of [places.recordings, places.recovery]) {
    for (const [kind, keeping] of Object.entries(kinds)) {
      for (const by of identities) {
        const key = `recordings/ten/00/${by}-${kind.replaceAll(/[^a-z]/g, '')}/original`
        const behind = as(curtain, bucket).file(key)
        await behind.save('sealed bytes', { resumable: false })
        await behind.setMetadata(keeping)
        await as(curtain, bucket).file('recordings/other').save('other bytes', { resumable: false })
        const look = async (): Promise<Seen | null> => {
          const [{ generation, size, retention, temporaryHold }] = await behind.getMetadata()
          const { retainUntilTime = '', mode = '' } = (retention ?? {}) as {
            retainUntilTime?: string
            mode?: string
          }
          return {
            generation: String(generation),
            size: String(size),
            until: retainUntilTime,
            mode,
            held: temporaryHold === true,
          }
        }
        const before = await look()
        const { generation = '' } = before ?? {}
        const file = as(by, bucket).file(key)
        const calls: Readonly<Record<string, () => Promise<unknown>>> = {
          delete: () => file.delete(),
          'delete by generation': () => file.delete({ ifGenerationMatch: generation }),
          replace: () => file.save('y', { resumable: false }),
          'replace by generation': () =>
            file.save('y', { resumable: false, preconditionOpts: { ifGenerationMatch: Number(generation) } }),
          'replace in a session': () => replaceInSession(gcs.url, { bucket, key, by }),
          'copy over it': () => as(by, bucket).file('recordings/other').copy(file),
          'take retention off': () =>
            file.setMetadata({ retention: null }, { overrideUnlockedRetention: true }),
          'retain shorter': () =>
            file.setMetadata(
              { retention: { mode: 'Unlocked', retainUntilTime: tomorrow } },
              { overrideUnlockedRetention: true },
            ),
          'retain shorter, without override': () =>
            file.setMetadata({ retention: { mode: 'Locked', retainUntilTime: tomorrow } }),
          'take the hold off, then delete': async () => {
            await file.setMetadata({ temporaryHold: false })
            await file.delete()
          },
          'delete the bucket': () => as(by, bucket).delete(),
          'set a lifecycle that deletes': () =>
            as(by, bucket).setMetadata({
              lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 0 } }] },
            }),
          'set soft deletion to nothing': () =>
            as(by, bucket).setMetadata({ softDeletePolicy: { retentionDurationSeconds: 0 } }),
        }
        for (const [call, run] of Object.entries(calls)) {
          const code = await codeOf(run())
          const after = await look().catch(() => null)
          const harm = worse(before, after, by)
          const isOfficer = by === 'retention_officer'
          // What somebody may who is no service, and who cannot delete: named, and found as `shorter`.
          const isTheirs =
            isOfficer && (call.startsWith('take retention') || call.startsWith('retain shorter'))
          attempts.push({
            ...{ wall: 'bucket', by, what: `${call}: ${kind}` },
            refused:
              code === 'done' && isTheirs
                ? 'allowed: no service runs as them, and they cannot delete'
                : told(code, kind, call),
            logged: 'by Google, where its audit logs are on',
            harm: isTheirs ? harm.filter(one => !one.includes('shorter')) : harm,
          })
          if (JSON.stringify(after) !== JSON.stringify(before)) await behind.setMetadata(keeping)
        }
      }
    }
  }
  return attempts
}

/** By hand: the client goes on trying after it has said that it was refused. */
async function replaceInSession(
  url: string,
  { bucket, key, by }: { readonly bucket: string; readonly key: string; readonly by: string },
): Promise<void> {
  const headers = { authorization: `Bearer ${by}` }
  const name = encodeURIComponent(key)
  const address = `${url}/upload/storage/v1/b/${bucket}/o?uploadType=resumable&name=${name}`
  const begun = await fetch(address, { method: 'POST', headers })
  const session = begun.headers.get('location')
  const done = begun.ok && session !== null ? await fetch(session, { method: 'PUT', body: 'y' }) : begun
  const { error } = done.ok ? {} : ((await done.json()) as { readonly error?: { readonly errors?: unknown } })
  if (!done.ok) throw Object.assign(new Error('refused'), { code: done.status, errors: error?.errors })
}

/** A refusal of rights, or of the bucket itself whatever the rights. */
function told(code: string, kind: string, call: string): string {
  if (code !== 'done') return code
  if (call === 'take retention off' && kind.startsWith('held,'))
    return 'allowed: there is none, and the hold stays'
  return call.startsWith('retain') && kind.startsWith('held,') ? 'allowed: keeps it longer' : 'done'
}

function worse(before: Seen | null, after: Seen | null, by: string): readonly string[] {
  if (before === null) return ['it was not there']
  if (after === null) return ['it is gone']
  const found: string[] = []
  if (after.generation !== before.generation) found.push('it was replaced')
  if (after.size !== before.size) found.push('it has other bytes')
  if (Date.parse(after.until || tomorrow) < Date.parse(before.until || tomorrow))
    found.push('it is kept shorter')
  if (before.mode === 'Locked' && after.mode !== 'Locked') found.push('it is not locked any more')
  // The worker takes holds off, and an officer writes what else is beside an object; neither deletes.
  if (before.held && !after.held && by !== 'worker' && by !== 'retention_officer')
    found.push('it is held no longer')
  return found
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'done'
  } catch (error) {
    const { code, errors } = error as {
      readonly code?: unknown
      readonly errors?: readonly { readonly reason?: string }[]
    }
    return `${code} ${errors?.[0]?.reason ?? ''}`.trim()
  }
}
