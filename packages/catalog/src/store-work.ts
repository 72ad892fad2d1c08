// What the stores have to follow: what was decided of a recording, what they were last known to keep it by, and the
// list of those between which something may be different.
import type { AuditRecord } from '@auricle/audit'
import { ObjectRole, RecordingId, TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import type { Database, Session } from './database.ts'
import { insertEvent } from './events.ts'
import { flag, integer, orNull, parsed, type Row, text, time } from './row.ts'

export interface StoreWork {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  readonly askedAt: Date
  /** How often it failed so far. */
  readonly attempts: number
}

/** How an object is to be kept. */
export interface Wanted {
  /** At least. */
  readonly keepUntil: Date
  /** For good. */
  readonly locked: boolean
  /** By a legal hold, or since its time begins with something that has not happened yet. */
  readonly held: boolean
  /** It is decided when it may go. */
  readonly hasEnd: boolean
}

/** An object in one store, as it was last known to be kept. */
export interface KeptIn {
  readonly generation: string
  /** Null where nobody has looked. */
  readonly until: Date | null
  readonly held: boolean
  /** It was deleted since its recording came to its end. */
  readonly isDestroyed: boolean
}

export interface FollowedObject {
  readonly role: ObjectRole
  readonly objectKey: string
  readonly primary: KeptIn
  /** Null where it has no copy. */
  readonly recovery: KeptIn | null
}

export interface StoreFacts extends Wanted {
  readonly objects: readonly FollowedObject[]
}

/** What the stores keep an object by now; null: that one was not reached. */
export interface KeptNow {
  readonly role: ObjectRole
  readonly primary: { readonly until: Date | null; readonly held: boolean } | null
  readonly recovery: { readonly until: Date | null; readonly held: boolean } | null
}

/** Of the one who follows a recording, in the transaction that keeps others from it. */
export interface StoreAccess {
  /** As they are now. Null where there is no such recording, or it is destroyed. */
  facts(): Promise<StoreFacts | null>
  /**
   * Writes down what the stores keep now, with the event. Where all of it was brought to what `followed` says and that is
   * still what is decided, nothing is left to do; else it stays due. Returns whether nothing is left.
   */
  done(
    followed: StoreFacts,
    kept: readonly KeptNow[],
    outcome: { readonly isWhole: boolean; readonly event: AuditRecord | null },
  ): Promise<boolean>
}

export interface StoreWorkCatalog {
  /** Work that is due, of any tenant; nobody else gets it until the lease is over. */
  takeStoreWork(limit: number, leaseMs: number, options?: QueryOptions): Promise<readonly StoreWork[]>
  /**
   * Runs `work` unless somebody else follows the recording: then null. Of two at once, one that read before a hold could
   * take off what the other put on. What `work` writes is committed when it resolves.
   */
  followStore<Result>(
    tenantId: TenantId,
    recordingId: RecordingId,
    work: (access: StoreAccess) => Promise<Result>,
    options?: QueryOptions,
  ): Promise<Result | null>
  /** Counts a failed attempt and says when to try again, unless it was asked for anew since it was taken. */
  failStoreWork(
    failure: StoreWork & { readonly errorCode: string; readonly nextAttemptAt: Date },
    options?: QueryOptions,
  ): Promise<void>
  /** Of all tenants: recordings that stores have to follow, how many of them failed, since when the oldest waits. */
  storeBacklog(
    options?: QueryOptions,
  ): Promise<{ readonly recordings: number; readonly failing: number; readonly askedAt: Date | null }>
}

const secondMs = 1000

/** What is decided of the recording `r`, to be selected beside it. */
export const wantedColumns = `
  greatest(r.retain_until, n.keep_until) as keep_until, coalesce(n.locked, false) as locked,
  n.due_at is not null as has_end,
  (coalesce(n.status = 'waiting', false) or exists (
    select from auricle.hold_cover c
    join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
    where c.tenant_id = r.tenant_id and c.recording_id = r.id and c.released_at is null
  )) as wanted_held`

export const wantedJoin = `
  left join auricle.retention_decision n
    on n.tenant_id = r.tenant_id and n.recording_id = r.id and n.superseded_at is null`

export const readWanted = (row: Row): Wanted => ({
  keepUntil: time(row, 'keep_until'),
  locked: flag(row, 'locked'),
  held: flag(row, 'wanted_held'),
  hasEnd: flag(row, 'has_end'),
})

export function createStoreWork(database: Database, now: () => Date): StoreWorkCatalog {
  return {
    async takeStoreWork(limit, leaseMs, options) {
      const found = await database.once(
        {
          text: 'select * from auricle.take_store_work($1, make_interval(secs => $2), $3)',
          values: [now(), leaseMs / secondMs, limit],
        },
        options,
      )
      return found.map(row => ({
        tenantId: parsed(row, 'tenant_id', TenantId),
        recordingId: parsed(row, 'recording_id', RecordingId),
        askedAt: time(row, 'asked_at'),
        attempts: integer(row, 'attempts'),
      }))
    },

    followStore: (tenantId, recordingId, work, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [lock] = await session.rows({
            text: `select pg_try_advisory_xact_lock(hashtextextended('auricle.store/' || $1 || '/' || $2, 0)) as is_ours`,
            values: [tenantId, recordingId],
          })
          if (lock === undefined || !flag(lock, 'is_ours')) return null
          return await work(createAccess(session, { tenantId, recordingId, now }))
        },
        options,
      )
    },

    failStoreWork: ({ tenantId, recordingId, askedAt, errorCode, nextAttemptAt }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.store_work set attempts = attempts + 1, error = $4, due_at = $5
                   where tenant_id = $1 and recording_id = $2 and asked_at = $3`,
            values: [tenantId, recordingId, askedAt, errorCode, nextAttemptAt],
          })
        },
        options,
      )
    },

    async storeBacklog(options) {
      const [row] = await database.once(
        { text: 'select * from auricle.store_backlog()', values: [] },
        options,
      )
      if (row === undefined) return { recordings: 0, failing: 0, askedAt: null }
      return {
        recordings: integer(row, 'recordings'),
        failing: integer(row, 'failing'),
        askedAt: orNull(row, 'asked_at', time),
      }
    },
  }
}

interface Which {
  readonly tenantId: TenantId
  readonly recordingId: RecordingId
  readonly now: () => Date
}

function createAccess(session: Session, which: Which): StoreAccess {
  const { tenantId, recordingId, now } = which
  return {
    facts: () => readFacts(session, which),

    /**
     * Whoever marks a copy locks the objects before they look for holds, and whoever places a hold asks for the work
     * after it: with both locked, what is read here is what either of them left, or they come after and find it done.
     */
    async done(followed, kept, { isWhole, event }) {
      await session.rows({
        text: `select from auricle.recording_object where tenant_id = $1 and recording_id = $2
               order by role for update`,
        values: [tenantId, recordingId],
      })
      await session.rows({
        text: 'select from auricle.store_work where tenant_id = $1 and recording_id = $2 for update',
        values: [tenantId, recordingId],
      })
      for (const each of kept) await writeKept(session, which, each)
      if (event !== null) await insertEvent(session, event)
      const after = await readFacts(session, which)
      const isDone = after === null || (isWhole && isSame(after, followed))
      if (isDone) {
        await session.write({
          text: 'delete from auricle.store_work where tenant_id = $1 and recording_id = $2',
          values: [tenantId, recordingId],
        })
      } else if (isWhole) {
        await session.rows({
          text: 'select auricle.ask_store($1, $2, $3)',
          values: [tenantId, recordingId, now()],
        })
      }
      return isDone
    },
  }
}

async function readFacts(session: Session, { tenantId, recordingId }: Which): Promise<StoreFacts | null> {
  const found = await session.rows({
    text: `select b.*, ${wantedColumns},
             ${isDestroyed('primary', 'b.generation')} as primary_destroyed,
             ${isDestroyed('recovery', 'b.recovery_generation')} as recovery_destroyed
           from auricle.recording r ${wantedJoin}
           join auricle.recording_object b on b.tenant_id = r.tenant_id and b.recording_id = r.id
           where r.tenant_id = $1 and r.id = $2 and r.destroyed_at is null order by b.role`,
    values: [tenantId, recordingId],
  })
  const [first] = found
  if (first === undefined) return null
  return { ...readWanted(first), objects: found.map(readFollowed) }
}

const isDestroyed = (store: 'primary' | 'recovery', generation: string): string => `exists (
  select from auricle.destroyed_object g
  where g.tenant_id = b.tenant_id and g.recording_id = b.recording_id and g.store = '${store}'
    and g.object_key = b.object_key and g.generation = ${generation}
)`

function readFollowed(row: Row): FollowedObject {
  const copy = orNull(row, 'recovery_generation', text)
  const read = (store: 'primary' | 'recovery', generation: string): KeptIn => ({
    generation,
    until: orNull(row, store === 'primary' ? 'store_until' : 'recovery_until', time),
    held: flag(row, store === 'primary' ? 'store_held' : 'recovery_held'),
    isDestroyed: flag(row, `${store}_destroyed`),
  })
  return {
    role: parsed(row, 'role', ObjectRole),
    objectKey: text(row, 'object_key'),
    primary: read('primary', text(row, 'generation')),
    recovery: copy === null ? null : read('recovery', copy),
  }
}

function isSame(a: StoreFacts, b: StoreFacts): boolean {
  const generations = ({ objects }: StoreFacts): string =>
    objects.map(({ role, primary, recovery }) => [role, primary.generation, recovery?.generation]).join()
  return (
    a.keepUntil.getTime() === b.keepUntil.getTime() &&
    a.locked === b.locked &&
    a.held === b.held &&
    generations(a) === generations(b)
  )
}

async function writeKept(session: Session, { tenantId, recordingId }: Which, kept: KeptNow): Promise<void> {
  const { role, primary, recovery } = kept
  await session.write({
    text: `update auricle.recording_object set
             store_until = case when $4 then $5 else store_until end,
             store_held = case when $4 then $6 else store_held end,
             recovery_until = case when $7 then $8 else recovery_until end,
             recovery_held = case when $7 then $9 else recovery_held end
           where tenant_id = $1 and recording_id = $2 and role = $3`,
    values: [
      ...[tenantId, recordingId, role],
      ...[primary !== null, primary?.until ?? null, primary?.held ?? false],
      ...[recovery !== null, recovery?.until ?? null, recovery?.held ?? false],
    ],
  })
}
