// Turns an intake into a recording.
//
// Order: event that the recording's key is used -> decision how long it is kept -> original -> read back whole and compared, rendition and peaks made from what was read back -> ONE
// transaction (recording, objects, decision, holds that cover it, intake archived, audit event) -> intake object deleted.
// The transaction is the commit point. Every object has a name that the intake fixed, and is created only if
// absent: a run that was killed anywhere is run again, takes up the objects it finds whole and ends the same.
// Peaks are stored last, so where they exist the rendition does too.
// The key service is asked once, for the recording's secret that the notice was sealed under: it opens the intake,
// and seals and opens what is stored (docs/decisions/0006-one-wrap-a-recording.md).
import type { AudioFormat, AudioTool } from '@auricle/audio'
import type { Catalog, IntakeRow, NewRecording } from '@auricle/catalog'
import {
  type AudioState,
  type IntakeId,
  type MailboxId,
  Notice,
  type PatientId,
  type TenantId,
} from '@auricle/contract'
import type { ObjectStore } from '@auricle/objects'
import { retainUntil } from '@auricle/retention'
import {
  bytesSource,
  type CallOptions,
  type OpenedObject,
  openSealed,
  type RecordingSecret,
} from '@auricle/sealed'
import { type Derived, deriveObjects } from './archive-derived.ts'
import { type ArchivedOriginal, archiveOriginal } from './archive-original.ts'
import { auditRecord } from './audit-record.ts'
import { VaultError } from './error.ts'
import type { DurableEvent, EventAppender } from './log/durable-event.ts'
import { recordingIdentity } from './object-context.ts'
import { intakeKey } from './object-key.ts'
import { decideFirst, type FirstDecision, type FirstDecisionParts } from './retention/decide-first.ts'
import { readWhole } from './stored-object.ts'
import type { TenantSecrets, TenantSecretsCache } from './tenant-secrets.ts'
import type { VaultKeys } from './vault-keys.ts'

export interface ArchiveParts {
  readonly catalog: Pick<
    Catalog,
    'findIntake' | 'findConnector' | 'findMailboxByAddress' | 'ensurePatient' | 'commitArchive'
  > &
    FirstDecisionParts['catalog']
  readonly objects: Pick<ObjectStore, 'put' | 'head' | 'read' | 'delete'>
  readonly keys: Pick<VaultKeys, 'key' | 'opener'>
  readonly log: EventAppender
  readonly secrets: TenantSecretsCache
  readonly sniff: (head: Uint8Array, hints: Pick<Notice, 'contentType' | 'fileName'>) => AudioFormat | null
  readonly sniffBytes: number
  /** Null where the machine has no ffmpeg: recordings are kept and played as delivered. */
  readonly audio: AudioTool | null
  readonly fetchAudio: FetchAudio
  readonly now?: () => Date
}

/** What the steps of one archive have: the adapters, its event, and the secret of its recording if it has one. */
export interface ArchivingParts extends ArchiveParts {
  readonly event: DurableEvent
  readonly recordingSecret: RecordingSecret | null
}

/** Fetches audio that a PBX named by URL, within the connector's rules. */
export type FetchAudio = (request: {
  readonly url: string
  readonly allowedHosts: readonly { readonly origin: string; readonly privateCidr: string | null }[]
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}) => Promise<{ readonly audio: AsyncIterable<Uint8Array> }>

/** `gone`: no such intake waits any more; somebody else archived it, or it is quarantined. */
export type ArchiveOutcome =
  | { readonly status: 'archived'; readonly audioState: AudioState; readonly bytes: number }
  | { readonly status: 'gone' }

/** Throws whatever stood in the way; the caller decides whether to try again (`archive-attempt.ts`). */
export async function archive(
  parts: ArchiveParts,
  tenantId: TenantId,
  intakeId: IntakeId,
  options: CallOptions,
): Promise<ArchiveOutcome> {
  const intake = await parts.catalog.findIntake(tenantId, intakeId, options)
  if (intake === null || intake.state !== 'received') {
    if (intake?.state === 'archived') await discardIntake(parts, intake, options)
    return { status: 'gone' }
  }
  const secrets = await parts.secrets.get(tenantId, options)
  const event = await appendKeyUse(parts, intake, options)
  using opened = await openNotice(parts, intake, event, options)
  const notice = await readNotice(opened, intake, options)
  const archiving = { ...parts, event, recordingSecret: opened.recordingSecret }
  const place = await findPlace(parts, secrets, intake, notice, options)
  const { kind } = notice
  const { receivedAt } = intake
  const now = parts.now?.() ?? new Date()
  const first = await decideFirst(parts, secrets, { ...place, kind, receivedAt }, now, options)

  const original = await archiveOriginal(archiving, intake, notice, first.keeping, options)
  const derived = await deriveObjects(archiving, intake, original, first.keeping, options)
  await commit(parts, secrets, intake, notice, { ...place, first, original, derived }, options)
  await discardIntake(parts, intake, options)
  return { status: 'archived', audioState: derived.audioState, bytes: original.object.plaintextBytes }
}

/** Of this attempt: one that is repeated uses the key again. */
async function appendKeyUse(
  { log }: ArchiveParts,
  { tenantId, recordingId }: IntakeRow,
  options: CallOptions,
): Promise<DurableEvent> {
  const record = await auditRecord(
    {
      tenantId,
      action: 'key.used',
      outcome: 'allowed',
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id: recordingId, version: null },
      reasons: ['archive'],
      request: null,
    },
    null,
  )
  return log.append(record, options)
}

function openNotice(
  parts: ArchiveParts,
  intake: IntakeRow,
  event: DurableEvent,
  { signal }: CallOptions,
): Promise<OpenedObject> {
  if (intake.sealedNotice === null) throw new VaultError('not_found', 'The recording is destroyed')
  return openSealed(bytesSource(intake.sealedNotice), {
    expect: recordingIdentity(intake.tenantId, intake.recordingId, 'notice'),
    unwrapper: parts.keys.opener({ purpose: 'recordings', tenantId: intake.tenantId }, event),
    signal,
  })
}

async function readNotice(opened: OpenedObject, intake: IntakeRow, options: CallOptions): Promise<Notice> {
  // What it was sealed to is in memory already, and longer.
  const json = await readWhole(opened, intake.sealedNotice?.length ?? 0, options)
  return Notice.parse(JSON.parse(json.toString('utf8')))
}

function claimedStart(notice: Notice): Date | null {
  return notice.startedAt === null ? null : new Date(notice.startedAt)
}

/** PBX clocks lie: a start after the delivery cannot be true. */
function startOf(notice: Notice, intake: IntakeRow): Date {
  const claimed = claimedStart(notice) ?? intake.receivedAt
  return new Date(Math.min(claimed.getTime(), intake.receivedAt.getTime()))
}

/** Where a delivery belongs in time, among mailboxes and patients; and the tenant's minimum for it. */
interface Place {
  readonly startedAt: Date
  readonly mailboxId: MailboxId | null
  readonly patientId: PatientId | null
  readonly floor: Date
}

async function findPlace(
  parts: ArchiveParts,
  { tenant, columns }: TenantSecrets,
  intake: IntakeRow,
  notice: Notice,
  options: CallOptions,
): Promise<Place> {
  const { patientReference } = notice
  const startedAt = startOf(notice, intake)
  return {
    startedAt,
    mailboxId: await findMailboxId(parts, intake, notice, options),
    patientId:
      patientReference === null
        ? null
        : await parts.catalog.ensurePatient(tenant.id, patientReference, columns, options),
    floor: retainUntil({ startedAt, receivedAt: intake.receivedAt, keepDays: tenant.keepDays }),
  }
}

interface Work extends Place {
  readonly first: FirstDecision
  readonly original: ArchivedOriginal
  readonly derived: Derived
}

async function commit(
  parts: ArchiveParts,
  secrets: TenantSecrets,
  intake: IntakeRow,
  notice: Notice,
  { startedAt, mailboxId, patientId, floor, first, original, derived }: Work,
  options: CallOptions,
): Promise<void> {
  const { tenantId, recordingId, connectorId } = intake
  const now = parts.now?.() ?? new Date()
  const objects = [original.object, ...derived.objects]
  const facts: NewRecording = {
    id: recordingId,
    tenantId,
    connectorId,
    intakeId: intake.id,
    mailboxId,
    kind: notice.kind,
    direction: notice.direction,
    sourceId: notice.sourceId,
    from: notice.from,
    fromName: notice.fromName,
    to: notice.to,
    patientReference: notice.patientReference,
    patientId,
    note: notice.note,
    startedAt,
    receivedAt: intake.receivedAt,
    archivedAt: now,
    durationMs: derived.durationMs,
    channels: derived.channels,
    codec: original.format?.codec ?? null,
    audioState: derived.audioState,
    retainUntil: floor,
    decision: first.committed(derived.durationMs, objects),
  }
  const fingerprint = Buffer.from(original.object.fingerprint).toString('hex')
  const event = await auditRecord(
    {
      tenantId,
      action: 'recording.archived',
      outcome: 'allowed',
      actor: { type: 'system', name: 'worker' },
      object: { type: 'recording', id: recordingId, version: fingerprint },
      reasons: [derived.audioState],
      patients: patientId === null ? [] : [patientId],
      request: null,
    },
    null,
    now,
  )
  await parts.catalog.commitArchive(facts, objects, secrets.columns, event, options)
}

/** The mailbox the PBX named, else the connector's own, else none: then nobody hears it until it is assigned. */
async function findMailboxId(parts: ArchiveParts, intake: IntakeRow, notice: Notice, options: CallOptions) {
  for (const address of [notice.mailbox, notice.kind === 'voicemail' ? notice.to : null]) {
    if (address === null) continue
    const mailbox = await parts.catalog.findMailboxByAddress(intake.tenantId, address, options)
    if (mailbox !== null) return mailbox.id
  }
  const connector = await parts.catalog.findConnector(intake.connectorId, options)
  return connector?.defaultMailboxId ?? null
}

/** Only where deliveries lie: a row that names anything else, whoever wrote it, deletes nothing. */
async function discardIntake(parts: ArchiveParts, intake: IntakeRow, options: CallOptions): Promise<void> {
  const key = intakeKey(intake.tenantId, intake.id)
  if (intake.objectKey === key) await parts.objects.delete(key, options)
}
