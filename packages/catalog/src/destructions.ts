// The end of recordings, item by item of dispositions that are ready: what is taken up, begun, deleted, stopped, done.
//
// Whatever deletes, marks or empties goes through the database's own functions (migration 0008), which look for
// themselves whether they may. The disposition is locked before the recording, as by whoever reviews or cancels.
import type { AuditRecord } from '@auricle/audit'
import { DispositionId, type ObjectRole, RecordingId, type TenantId } from '@auricle/contract'
import type { QueryOptions } from './catalog.ts'
import { addCertificate, type NewCertificate } from './certificates.ts'
import type { Database, Session } from './database.ts'
import {
  type DestroyedObject,
  type DestructionFacts,
  type FoundObject,
  insertDestroyed,
  readDestructionFacts,
} from './destruction-facts.ts'
import { lockDisposition } from './disposition-reviews.ts'
import { insertEvent } from './events.ts'
import { firstOrNull, integer, orNull, parsed, type Row, text } from './row.ts'

/** A recording of a disposition, taken up by one worker for a while. */
export interface DestructionItem {
  readonly tenantId: TenantId
  readonly dispositionId: DispositionId
  readonly recordingId: RecordingId
  /** How often it failed so far. */
  readonly attempts: number
  readonly isBegun: boolean
}

/** Which recording, in which disposition, and when. */
export interface DestructionStep {
  readonly tenantId: TenantId
  readonly dispositionId: DispositionId
  readonly recordingId: RecordingId
  readonly now: Date
}

/** `before`: it was done already. Any other word: why not; nothing was written. */
export type StepOutcome =
  | { readonly status: 'done' | 'before' }
  | { readonly status: 'refused'; readonly reason: string }

export interface DestructionCatalog {
  /** The next of the tenant, and for `leaseMs` nobody else's; null where nothing is ready. */
  takeDestruction(
    tenantId: TenantId,
    lease: { readonly now: Date; readonly leaseMs: number },
    options?: QueryOptions,
  ): Promise<DestructionItem | null>
  /** Null where it is in no open disposition, or destroyed. */
  findDestruction(
    tenantId: TenantId,
    recordingId: RecordingId,
    options?: QueryOptions,
  ): Promise<DestructionFacts | null>
  /** From then on nobody is shown or played it. */
  beginDestruction(step: DestructionStep, event: AuditRecord, options?: QueryOptions): Promise<StepOutcome>
  /**
   * Runs `remove` while nothing can come between, and notes what it tells. Keeps a hold, a rule or a fact waiting for as
   * long, so `remove` has to end soon. Null, or why it was not run. A delete whose row was not written is found by the
   * next run.
   */
  destroyObject(
    step: DestructionStep,
    remove: () => Promise<DestroyedObject>,
    options?: QueryOptions,
  ): Promise<string | null>
  /** Of copies that no row knew of: so that whatever happens to their deletion, it is accounted for. */
  noteCopies(
    tenantId: TenantId,
    recordingId: RecordingId,
    copies: readonly { readonly role: ObjectRole; readonly generation: string }[],
    now: Date,
    options?: QueryOptions,
  ): Promise<void>
  /** Of objects that no row knows, before they go: so that whatever happens then, they are accounted for. */
  noteFound(step: DestructionStep, objects: readonly FoundObject[], options?: QueryOptions): Promise<void>
  /** Of objects that were found deleted. */
  noteDestroyed(
    tenantId: TenantId,
    recordingId: RecordingId,
    objects: readonly DestroyedObject[],
    options?: QueryOptions,
  ): Promise<void>
  /**
   * Takes it out of its disposition, where it is `kept` or, if it had begun, `stopped`: what is left of it is there again.
   * False, and nothing written, where it is in none any more.
   */
  stopDestruction(
    step: DestructionStep & { readonly reason: string },
    event: AuditRecord,
    options?: QueryOptions,
  ): Promise<boolean>
  /** Empties its rows: the commit point of the whole. `before`: another worker was quicker. */
  endDestruction(
    step: DestructionStep,
    event: AuditRecord,
    certificate: NewCertificate,
    options?: QueryOptions,
  ): Promise<StepOutcome>
  /** To be tried again then. */
  failDestruction(
    step: DestructionStep & { readonly reason: string; readonly nextAttemptAt: Date },
    event: AuditRecord | null,
    options?: QueryOptions,
  ): Promise<void>
  /** Whether it is being destroyed, or is: what is missing of it then is not lost. */
  isEnding(tenantId: TenantId, recordingId: RecordingId, options?: QueryOptions): Promise<boolean>
  /** In open dispositions while a hold covers them. */
  listHeldItems(
    tenantId: TenantId,
    limit: number,
    options?: QueryOptions,
  ): Promise<readonly DestructionItem[]>
}

export function createDestructions(database: Database): DestructionCatalog {
  return {
    async takeDestruction(tenantId, { now, leaseMs }, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `with taken as (
                     select i.disposition_id, i.recording_id from auricle.disposition_item i
                     join auricle.disposition d on d.tenant_id = i.tenant_id and d.id = i.disposition_id
                     where i.tenant_id = $1 and i.state in ('listed', 'destroying')
                       and d.state in ('waiting', 'destroying') and d.ready_at <= $2
                       and (i.next_attempt_at is null or i.next_attempt_at <= $2)
                     order by i.next_attempt_at nulls first, i.disposition_id, i.recording_id
                     limit 1 for update of i skip locked
                   )
                   update auricle.disposition_item i set next_attempt_at = $3
                   from taken t
                   where i.tenant_id = $1 and i.disposition_id = t.disposition_id and i.recording_id = t.recording_id
                   returning i.disposition_id, i.recording_id, i.attempts, i.state`,
            values: [tenantId, now, new Date(now.getTime() + leaseMs)],
          })
        },
        options,
      )
      return firstOrNull(found, row => readItem(row, tenantId))
    },

    findDestruction: (tenantId, recordingId, options) => {
      return database.inTenant(
        tenantId,
        session => readDestructionFacts(session, tenantId, recordingId),
        options,
      )
    },

    beginDestruction: (step, event, options) => {
      return database.inTenant(
        step.tenantId,
        async session => {
          await lockDisposition(session, step.tenantId, step.dispositionId)
          const isBegun = (await findItemState(session, step)) === 'destroying'
          const reason = await call(session, 'begin_destruction', step)
          if (reason !== null) return { status: 'refused', reason }
          if (isBegun) return { status: 'before' }
          await insertEvent(session, event)
          return { status: 'done' }
        },
        options,
      )
    },

    destroyObject: (step, remove, options) => {
      return database.inTenant(
        step.tenantId,
        async session => {
          const reason = await call(session, 'refuses_destruction', step)
          if (reason === null)
            await insertDestroyed(session, step.tenantId, step.recordingId, [await remove()])
          return reason
        },
        options,
      )
    },

    noteCopies: (tenantId, recordingId, copies, now, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.recording_object o set recovery_generation = c.generation, replicated_at = $3
                   from unnest($4::text[], $5::text[]) c (role, generation)
                   where o.tenant_id = $1 and o.recording_id = $2 and o.role = c.role and o.recovery_generation is null`,
            values: [
              ...[tenantId, recordingId, now],
              ...[copies.map(({ role }) => role), copies.map(({ generation }) => generation)],
            ],
          })
        },
        options,
      )
    },

    noteFound: ({ tenantId, dispositionId, recordingId }, objects, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.disposition_item i set found = (
                     select jsonb_agg(distinct f) from jsonb_array_elements(i.found || $4::jsonb) f
                   )
                   where tenant_id = $1 and disposition_id = $2 and recording_id = $3 and state = 'destroying'`,
            values: [tenantId, dispositionId, recordingId, JSON.stringify(objects)],
          })
        },
        options,
      )
    },

    noteDestroyed: (tenantId, recordingId, objects, options) => {
      return database.inTenant(
        tenantId,
        session => insertDestroyed(session, tenantId, recordingId, objects),
        options,
      )
    },

    stopDestruction: ({ reason, ...step }, event, options) => {
      const { tenantId, dispositionId, recordingId, now } = step
      return database.inTenant(
        tenantId,
        async session => {
          await lockDisposition(session, tenantId, dispositionId)
          const state = await findItemState(session, step)
          if (state === null) return false
          if (state === 'destroying') {
            await session.rows({
              text: 'select auricle.stop_destruction($1, $2, $3, $4)',
              values: [tenantId, recordingId, reason, now],
            })
          } else {
            await session.write({
              text: `update auricle.disposition_item set state = 'kept', reason = $4, changed_at = $5
                     where tenant_id = $1 and disposition_id = $2 and recording_id = $3 and state = 'listed'`,
              values: [tenantId, dispositionId, recordingId, reason, now],
            })
          }
          await insertEvent(session, event)
          await closeDisposition(session, step)
          return true
        },
        options,
      )
    },

    endDestruction: (step, event, certificate, options) => {
      return database.inTenant(
        step.tenantId,
        async session => {
          await lockDisposition(session, step.tenantId, step.dispositionId)
          // Another worker's end gives this one no item to end.
          if ((await findItemState(session, step)) === null) return { status: 'before' }
          const reason = await call(session, 'end_destruction', step)
          if (reason !== null) return { status: 'refused', reason }
          await insertEvent(session, event)
          await addCertificate(session, certificate)
          await closeDisposition(session, step)
          return { status: 'done' }
        },
        options,
      )
    },

    failDestruction: ({ reason, nextAttemptAt, ...step }, event, options) => {
      const { tenantId, dispositionId, recordingId, now } = step
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.disposition_item
                   set attempts = attempts + 1, reason = $4, next_attempt_at = $5, changed_at = $6,
                     first_failed_at = coalesce(first_failed_at, $6)
                   where tenant_id = $1 and disposition_id = $2 and recording_id = $3
                     and state in ('listed', 'destroying')`,
            values: [tenantId, dispositionId, recordingId, reason, nextAttemptAt, now],
          })
          if (event !== null) await insertEvent(session, event)
        },
        options,
      )
    },

    async isEnding(tenantId, recordingId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select from auricle.recording
                   where tenant_id = $1 and id = $2 and destroying_at is not null`,
            values: [tenantId, recordingId],
          })
        },
        options,
      )
      return found.length > 0
    },

    async listHeldItems(tenantId, limit, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select i.disposition_id, i.recording_id, i.attempts, i.state from auricle.disposition_item i
                   where i.tenant_id = $1 and i.state in ('listed', 'destroying') and exists (
                     select from auricle.hold_cover c
                     join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
                     where c.tenant_id = i.tenant_id and c.recording_id = i.recording_id and c.released_at is null
                   )
                   order by i.recording_id limit $2`,
            values: [tenantId, limit],
          })
        },
        options,
      )
      return found.map(row => readItem(row, tenantId))
    },
  }
}

function readItem(row: Row, tenantId: TenantId): DestructionItem {
  return {
    tenantId,
    dispositionId: parsed(row, 'disposition_id', DispositionId),
    recordingId: parsed(row, 'recording_id', RecordingId),
    attempts: integer(row, 'attempts'),
    isBegun: text(row, 'state') === 'destroying',
  }
}

async function call(
  session: Session,
  name: 'refuses_destruction' | 'begin_destruction' | 'end_destruction',
  { tenantId, recordingId, now }: DestructionStep,
): Promise<string | null> {
  const found = await session.rows({
    text: `select auricle.${name}($1, $2, $3) as refusal`,
    values: [tenantId, recordingId, now],
  })
  return firstOrNull(found, row => orNull(row, 'refusal', text))
}

async function findItemState(
  session: Session,
  { tenantId, dispositionId, recordingId }: DestructionStep,
): Promise<string | null> {
  const found = await session.rows({
    text: `select state from auricle.disposition_item
           where tenant_id = $1 and disposition_id = $2 and recording_id = $3 and state in ('listed', 'destroying')`,
    values: [tenantId, dispositionId, recordingId],
  })
  return firstOrNull(found, row => text(row, 'state'))
}

/** Once nothing of it is left to do. Its lock is held, so that of the last two the second sees the first. */
async function closeDisposition(
  session: Session,
  { tenantId, dispositionId, now }: DestructionStep,
): Promise<void> {
  await session.write({
    text: `update auricle.disposition d
           set state = case when d.state = 'proposed' then 'cancelled' else 'done' end, ended_at = $3
           where d.tenant_id = $1 and d.id = $2 and d.state in ('proposed', 'waiting', 'destroying') and not exists (
             select from auricle.disposition_item i
             where i.tenant_id = $1 and i.disposition_id = $2 and i.state in ('listed', 'destroying')
           )`,
    values: [tenantId, dispositionId, now],
  })
}
