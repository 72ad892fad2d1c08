// `auricle intake`: deliveries that were accepted and are not archived yet, above all those in quarantine.
import type { IntakeState } from '@auricle/catalog'
import { IntakeId } from '@auricle/contract'
import { UsageError } from '../error.ts'
import { formatBytes, formatTime } from '../format.ts'
import { findTenant, type Operator } from '../operator.ts'
import type { Output } from '../output.ts'

const shownMost = 500

export async function listIntakes(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  state: Exclude<IntakeState, 'archived'>,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const intakes = await operator.catalog.listIntakes(tenant.id, state, shownMost, operator)
  output.rows(
    intakes.map(({ id, recordingId, connectorId, receivedAt, attempts, audioBytes, lastErrorCode }) => ({
      id,
      recordingId,
      connectorId,
      receivedAt,
      attempts,
      audioBytes,
      lastErrorCode,
    })),
    [
      { title: 'intake', cell: row => row.id },
      { title: 'received', cell: row => formatTime(row.receivedAt) },
      {
        title: 'size',
        align: 'right',
        cell: row => (row.audioBytes === null ? '-' : formatBytes(row.audioBytes)),
      },
      { title: 'tries', align: 'right', cell: row => String(row.attempts) },
      { title: 'failed with', cell: row => row.lastErrorCode ?? '-' },
    ],
    state === 'quarantined' ? 'Nothing is in quarantine' : 'Everything that was received is archived',
  )
}

export async function retryIntake(
  operator: Operator,
  output: Output,
  slug: string | undefined,
  text: string,
): Promise<void> {
  const tenant = await findTenant(operator, slug)
  const id = IntakeId.safeParse(text)
  const released = id.success && (await operator.catalog.releaseQuarantine(tenant.id, id.data, operator))
  if (!released) throw new UsageError(`No intake "${text}" is in quarantine`)
  output.value({ intake: id.data, state: 'received' }, `${text} will be tried again`)
}
