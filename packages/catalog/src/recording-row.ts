// A recording as the table holds it: facts in clear, and what may identify a patient sealed, column by column.
import {
  AudioState,
  CallDirection,
  ConnectorId,
  HoldId,
  IntakeId,
  Label,
  MailboxId,
  PatientId,
  RecordingId,
  RecordingKind,
  RetentionStatus,
  TenantId,
  UserId,
} from '@auricle/contract'
import { z } from 'zod'
import { indexNumber } from './blind-index.ts'
import type { RecordingFacts, RecordingRow } from './catalog.ts'
import type { ColumnKeys } from './column-keys.ts'
import { bytes, integer, orNull, parsed, parsedOrNull, type Row, text, time } from './row.ts'
import { openColumn, sealColumn } from './sealed-column.ts'

export const Labels = z.array(Label)
const HoldIds = z.array(HoldId)

type SealedColumn = 'source_id' | 'from_number' | 'from_name' | 'to_number' | 'patient_reference' | 'note'

/** A recording's columns by name, sealed. */
export function sealRecording(
  recording: RecordingFacts,
  keys: ColumnKeys,
): Readonly<Record<string, unknown>> {
  const seal = (column: SealedColumn, value: string): Uint8Array => {
    return sealColumn(keys, place(recording.tenantId, column, recording.id), value)
  }
  const sealIfAny = (column: SealedColumn, value: string | null): Uint8Array | null => {
    return value === null ? null : seal(column, value)
  }
  return {
    tenant_id: recording.tenantId,
    id: recording.id,
    connector_id: recording.connectorId,
    intake_id: recording.intakeId,
    mailbox_id: recording.mailboxId,
    kind: recording.kind,
    direction: recording.direction,
    source_id: seal('source_id', recording.sourceId),
    from_number: sealIfAny('from_number', recording.from),
    from_name: sealIfAny('from_name', recording.fromName),
    to_number: sealIfAny('to_number', recording.to),
    patient_reference: sealIfAny('patient_reference', recording.patientReference),
    patient_id: recording.patientId,
    note: sealIfAny('note', recording.note),
    from_index: indexNumber(keys, 'recording.from_number', recording.from),
    to_index: indexNumber(keys, 'recording.to_number', recording.to),
    started_at: recording.startedAt,
    received_at: recording.receivedAt,
    archived_at: recording.archivedAt,
    duration_ms: recording.durationMs,
    channels: recording.channels,
    codec: recording.codec,
    audio_state: recording.audioState,
    retain_until: recording.retainUntil,
  }
}

/** What a query of recordings selects, from `recording r`, with its mailbox, its original and what the rules say of it. */
export const recordingColumns = `
  r.*, m.address as mailbox_address, m.name as mailbox_name,
  b.content_type as original_content_type, b.plaintext_bytes as original_bytes,
  n.status as retention_status, n.keep_until, n.due_at, array(
    select c.hold_id from auricle.hold_cover c
    where c.tenant_id = r.tenant_id and c.recording_id = r.id and c.released_at is null
  ) as hold_ids`
export const recordingJoins = `
  left join auricle.mailbox m on m.tenant_id = r.tenant_id and m.id = r.mailbox_id
  join auricle.recording_object b on b.tenant_id = r.tenant_id and b.recording_id = r.id and b.role = 'original'
  join auricle.retention_decision n
    on n.tenant_id = r.tenant_id and n.recording_id = r.id and n.superseded_at is null`

/** Reads and opens a row of such a query. */
export function openRecording(row: Row, keys: ColumnKeys): RecordingRow {
  const tenantId = parsed(row, 'tenant_id', TenantId)
  const id = parsed(row, 'id', RecordingId)
  const mailboxId = parsedOrNull(row, 'mailbox_id', MailboxId)
  const open = (column: SealedColumn): string => {
    return openColumn(keys, place(tenantId, column, id), bytes(row, column))
  }
  const openIfAny = (column: SealedColumn): string | null => (row[column] === null ? null : open(column))
  return {
    id,
    tenantId,
    connectorId: parsed(row, 'connector_id', ConnectorId),
    intakeId: parsed(row, 'intake_id', IntakeId),
    mailboxId,
    kind: parsed(row, 'kind', RecordingKind),
    direction: parsedOrNull(row, 'direction', CallDirection),
    sourceId: open('source_id'),
    from: openIfAny('from_number'),
    fromName: openIfAny('from_name'),
    to: openIfAny('to_number'),
    patientReference: openIfAny('patient_reference'),
    patientId: parsedOrNull(row, 'patient_id', PatientId),
    note: openIfAny('note'),
    startedAt: time(row, 'started_at'),
    receivedAt: time(row, 'received_at'),
    archivedAt: time(row, 'archived_at'),
    durationMs: orNull(row, 'duration_ms', integer),
    channels: orNull(row, 'channels', integer),
    codec: orNull(row, 'codec', text),
    audioState: parsed(row, 'audio_state', AudioState),
    retainUntil: time(row, 'retain_until'),
    decision: {
      status: parsed(row, 'retention_status', RetentionStatus),
      keepUntil: time(row, 'keep_until'),
      dueAt: orNull(row, 'due_at', time),
    },
    holdIds: parsed(row, 'hold_ids', HoldIds),
    mailbox:
      mailboxId === null
        ? null
        : { id: mailboxId, address: text(row, 'mailbox_address'), name: text(row, 'mailbox_name') },
    labels: parsed(row, 'labels', Labels),
    heardAt: orNull(row, 'heard_at', time),
    heardBy: parsedOrNull(row, 'heard_by', UserId),
    originalContentType: text(row, 'original_content_type'),
    originalBytes: integer(row, 'original_bytes'),
  }
}

function place(tenantId: string, column: SealedColumn, rowId: string) {
  return { tenantId, table: 'recording', column, rowId }
}
