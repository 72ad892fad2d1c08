// Deliveries from their commit point until they are archived or set aside.
import type { RecordStamper, StampedRecord } from '@auricle/audit'
import { ConnectorId, IntakeId, RecordingId, TenantId } from '@auricle/contract'
import { z } from 'zod'
import type { Catalog, IntakeRow, NewIntake } from './catalog.ts'
import type { Database } from './database.ts'
import { CatalogError } from './error.ts'
import { columnsOf, insertEvent } from './events.ts'
import { bytes, firstOrNull, integer, orNull, parsed, type Row, text, time } from './row.ts'

type Intakes = Pick<
  Catalog,
  | 'findIntakeBySource'
  | 'commitIntake'
  | 'findIntake'
  | 'listIntakes'
  | 'findMissingIntakes'
  | 'commitArchiveFailure'
  | 'commitQuarantine'
  | 'releaseQuarantine'
>

const IntakeState = z.enum(['received', 'archived', 'quarantined'])

export function createIntakes(database: Database, stamper: RecordStamper, now: () => Date): Intakes {
  return {
    async findIntakeBySource(tenantId, connectorId, sourceKey, options) {
      const found = await database.once(
        {
          name: 'find_intake_by_source',
          text: 'select * from auricle.find_intake_by_source($1, $2, $3)',
          values: [tenantId, connectorId, sourceKey],
        },
        options,
      )
      return firstOrNull(found, readIntake)
    },

    /** One statement, so one round trip and one flush: the database's function does the three writes. */
    async commitIntake(intake, event, options) {
      let stamped: readonly StampedRecord[] = []
      const found = await database.once(() => {
        stamped = stamper.stamp([event])
        return {
          name: 'commit_intake',
          text: `select * from auricle.commit_intake(
                   $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
          values: [...newIntakeValues(intake), now(), event.tenantId, ...columnsOf(stamped)],
        }
      }, options)
      const first = firstOrNull(found, readIntake)
      if (first !== null) return { status: 'duplicate', first }
      for (const record of stamped) record.acknowledge()
      return { status: 'committed' }
    },

    async findIntake(tenantId, intakeId, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: 'select * from auricle.intake where tenant_id = $1 and id = $2',
            values: [tenantId, intakeId],
          })
        },
        options,
      )
      return firstOrNull(found, readIntake)
    },

    async listIntakes(tenantId, state, limit, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select * from auricle.intake where tenant_id = $1 and state = $2
                   order by received_at, id limit $3`,
            values: [tenantId, state, limit],
          })
        },
        options,
      )
      return found.map(readIntake)
    },

    async findMissingIntakes(tenantId, ids, options) {
      const found = await database.inTenant(
        tenantId,
        session => {
          return session.rows({
            text: `select wanted.id from unnest($2::text[]) wanted (id)
                   where not exists (
                     select from auricle.intake i where i.tenant_id = $1 and i.id = wanted.id
                   )`,
            values: [tenantId, ids],
          })
        },
        options,
      )
      return found.map(row => parsed(row, 'id', IntakeId))
    },

    /** An intake that another run has archived or set aside meanwhile stays as it is. */
    commitArchiveFailure: ({ tenantId, intakeId, errorCode, nextAttemptAt }, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          await session.write({
            text: `update auricle.intake
                   set attempts = attempts + 1, last_error_code = $3, next_attempt_at = $4, touched_at = $5
                   where tenant_id = $1 and id = $2 and state = 'received'`,
            values: [tenantId, intakeId, errorCode, nextAttemptAt, now()],
          })
        },
        options,
      )
    },

    /** Throws `not_found` where the tenant has no such intake. Without effect, and without event, once it is archived. */
    commitQuarantine: (tenantId, intakeId, errorCode, event, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const [row] = await session.rows({
            text: 'select state from auricle.intake where tenant_id = $1 and id = $2 for update',
            values: [tenantId, intakeId],
          })
          if (row === undefined) throw new CatalogError('not_found', 'The tenant has no such intake')
          if (parsed(row, 'state', IntakeState) !== 'received') return
          await session.write({
            text: `update auricle.intake
                   set state = 'quarantined', attempts = attempts + 1, last_error_code = $3, touched_at = $4
                   where tenant_id = $1 and id = $2`,
            values: [tenantId, intakeId, errorCode, now()],
          })
          await insertEvent(session, event)
        },
        options,
      )
    },

    /** Its attempts count from nothing again. */
    releaseQuarantine: (tenantId, intakeId, options) => {
      return database.inTenant(
        tenantId,
        async session => {
          const released = await session.write({
            text: `update auricle.intake set state = 'received', attempts = 0, next_attempt_at = $3, touched_at = $3
                   where tenant_id = $1 and id = $2 and state = 'quarantined'`,
            values: [tenantId, intakeId, now()],
          })
          if (released === 0) return false
          await session.write({
            text: 'insert into auricle.outbox (tenant_id, intake_id) values ($1, $2)',
            values: [tenantId, intakeId],
          })
          return true
        },
        options,
      )
    },
  }
}

/** In the order of commit_intake's first ten parameters. */
function newIntakeValues(intake: NewIntake): readonly unknown[] {
  return [
    intake.tenantId,
    intake.id,
    intake.connectorId,
    intake.sourceKey,
    intake.contentMac,
    intake.recordingId,
    intake.objectKey,
    intake.audioBytes,
    intake.sealedNotice,
    intake.receivedAt,
  ]
}

function readIntake(row: Row): IntakeRow {
  return {
    id: parsed(row, 'id', IntakeId),
    tenantId: parsed(row, 'tenant_id', TenantId),
    connectorId: parsed(row, 'connector_id', ConnectorId),
    sourceKey: bytes(row, 'source_key'),
    contentMac: orNull(row, 'content_mac', bytes),
    recordingId: parsed(row, 'recording_id', RecordingId),
    state: parsed(row, 'state', IntakeState),
    objectKey: orNull(row, 'object_key', text),
    audioBytes: orNull(row, 'audio_bytes', integer),
    sealedNotice: orNull(row, 'sealed_notice', bytes),
    receivedAt: time(row, 'received_at'),
    attempts: integer(row, 'attempts'),
    nextAttemptAt: time(row, 'next_attempt_at'),
    lastErrorCode: orNull(row, 'last_error_code', text),
  }
}
