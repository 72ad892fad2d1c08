// Takes one delivery: durable and sealed when it resolves, or nothing but a sweepable object.
//
// Order: sealed audio in the store -> ONE transaction (intake, audit event, outbox) -> receipt.
// The transaction is the commit point. Whoever dies before it leaves at most an object under `intake/` without
// a row, which the sweeper removes; whoever dies after it has a delivery that the next attempt of the PBX finds
// as a duplicate and that the sweeper archives.
// The recording's secret is made here and wrapped once, for all that will ever be sealed of it; it is wiped at the end,
// and nothing here can unwrap it again (docs/decisions/0006-one-wrap-a-recording.md).

import { createHash } from 'node:crypto'
import type { AudioFormat } from '@auricle/audio'
import type { Catalog, IntakeRow, NewIntake } from '@auricle/catalog'
import {
  type IntakeId,
  type Notice,
  newIntakeId,
  newRecordingId,
  type Receipt,
  type RecordingId,
} from '@auricle/contract'
import type { Limits } from '@auricle/limits'
import type { ObjectStore } from '@auricle/objects'
import type { Delivery } from '@auricle/pbx'
import {
  type CallOptions,
  type RecordingSecret,
  sealBytes,
  startRecordingSecret,
  startSeal,
} from '@auricle/sealed'
import { auditRecord } from './audit-record.ts'
import type { OpenConnector } from './connector-secrets.ts'
import { VaultError } from './error.ts'
import { recordingIdentity, sealContext } from './object-context.ts'
import { intakeKey } from './object-key.ts'
import { noteMessage, refuseReplay } from './replay.ts'
import type { VaultKeys } from './vault-keys.ts'

export interface ReceiveParts {
  readonly catalog: Pick<Catalog, 'findIntakeBySource' | 'commitIntake'>
  readonly objects: Pick<ObjectStore, 'put'>
  /** Only ever asked to wrap under a tenant's `recordings` key. */
  readonly keys: Pick<VaultKeys, 'key'>
  /** Only asked about messages whose sender signs an id with them. */
  readonly limits: Pick<Limits, 'seen' | 'remember'>
  /** What the first bytes of the audio say it is; null when it is not audio. */
  readonly sniff: (head: Uint8Array, hints: Pick<Notice, 'contentType' | 'fileName'>) => AudioFormat | null
  readonly sniffBytes: number
  readonly now?: () => Date
}

export interface ReceiveOptions extends CallOptions {
  /** The request's id, for the audit event. */
  readonly request: string
}

/** `duplicate` says that this delivery was received before; the receipt is the same as then. */
export interface Received {
  readonly receipt: Receipt
  readonly duplicate: boolean
  readonly audioBytes: number | null
}

/** A delivery under way, with the ids and the secret it will have if it commits. */
interface Pending {
  readonly connector: OpenConnector
  readonly intakeId: IntakeId
  readonly recordingId: RecordingId
  readonly recordingSecret: RecordingSecret
  readonly receivedAt: Date
}

export async function receive(
  parts: ReceiveParts,
  connector: OpenConnector,
  delivery: Delivery,
  options: ReceiveOptions,
): Promise<Received> {
  const receivedAt = parts.now?.() ?? new Date()
  if (delivery.type === 'audio' && delivery.sourceId !== null) {
    const known = await findFirst(parts, connector, delivery.sourceId, options)
    if (known !== null) return replay(connector, known, await digest(delivery.audio, options))
  }
  const recordingId = newRecordingId()
  using recordingSecret = await startSecret(parts, connector, recordingId, options)
  const pending = { connector, intakeId: newIntakeId(), recordingId, recordingSecret, receivedAt }
  if (delivery.type === 'remote')
    return await commitOnce(parts, pending, delivery, delivery.notice, null, options)
  const audio = await storeAudio(parts, pending, delivery, options)
  return await commitOnce(parts, pending, delivery, delivery.notice(), audio, options)
}

/** Commits a message unless its id stands for another one. */
async function commitOnce(
  parts: ReceiveParts,
  pending: Pending,
  { messageId }: Delivery,
  notice: Notice,
  audio: StoredAudio | null,
  options: ReceiveOptions,
): Promise<Received> {
  if (messageId === undefined) return commit(parts, pending, notice, audio, options)
  const { connector } = pending
  const message = { id: messageId, notice, audioSha256: audio?.sha256 ?? null }
  await refuseReplay(parts.limits, connector, message, options)
  const received = await commit(parts, pending, notice, audio, options)
  await noteMessage(parts.limits, connector, message, received.receipt.recording, options)
  return received
}

function startSecret(
  parts: ReceiveParts,
  connector: OpenConnector,
  recordingId: RecordingId,
  { signal }: CallOptions,
): Promise<RecordingSecret> {
  const { tenantId } = connector.row
  const wrapper = parts.keys.key({ purpose: 'recordings', tenantId })
  return startRecordingSecret({ tenant: tenantId, recording: recordingId, wrapper, signal })
}

function findFirst(parts: ReceiveParts, connector: OpenConnector, sourceId: string, options: CallOptions) {
  const { tenantId, id } = connector.row
  return parts.catalog.findIntakeBySource(tenantId, id, connector.sourceKey(sourceId), options)
}

interface StoredAudio {
  readonly objectKey: string
  readonly bytes: number
  readonly sha256: Uint8Array
}

async function storeAudio(
  parts: ReceiveParts,
  { connector, intakeId, recordingId, recordingSecret, receivedAt }: Pending,
  delivery: Extract<Delivery, { type: 'audio' }>,
  { signal }: CallOptions,
): Promise<StoredAudio> {
  const { tenantId } = connector.row
  const sealing = await startSeal({
    context: sealContext(
      recordingIdentity(tenantId, recordingId, 'intake'),
      'application/octet-stream',
      receivedAt,
    ),
    under: recordingSecret,
    signal,
  })
  const objectKey = intakeKey(tenantId, intakeId)
  const source = sealing.seal(refuseUnlessAudio(parts, delivery), { signal })
  await parts.objects.put(objectKey, source, { retainUntil: null, signal })
  const facts = sealing.facts()
  return { objectKey, bytes: facts.plaintextBytes, sha256: facts.plaintextSha256 }
}

/**
 * Passes the audio through and throws at its end where it turns out to be none: throwing is what keeps it from
 * being stored. It waits for the end because only then is the delivery authenticated and its notice known.
 */
async function* refuseUnlessAudio(
  parts: ReceiveParts,
  delivery: Extract<Delivery, { type: 'audio' }>,
): AsyncGenerator<Uint8Array> {
  const head: Uint8Array[] = []
  let headBytes = 0
  let bytes = 0
  for await (const piece of delivery.audio) {
    bytes += piece.length
    if (headBytes < parts.sniffBytes) {
      // A copy: the piece may be a view of a buffer that its source uses again.
      head.push(Uint8Array.from(piece.subarray(0, parts.sniffBytes - headBytes)))
      headBytes += Math.min(piece.length, parts.sniffBytes - headBytes)
    }
    yield piece
  }
  if (bytes === 0) throw new VaultError('empty_body', 'The delivery holds no audio')
  const notice = delivery.notice()
  if (notice.declaredBytes !== null && notice.declaredBytes !== bytes) {
    throw new VaultError('content_mismatch', 'The audio is not as long as its metadata declares')
  }
  if (parts.sniff(Buffer.concat(head), notice) === null) {
    throw new VaultError('not_audio', 'The body is not audio of a kind this vault knows')
  }
}

/** SHA-256 of a delivery that is not stored. */
async function digest(audio: AsyncIterable<Uint8Array>, { signal }: CallOptions): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for await (const piece of audio) {
    signal?.throwIfAborted()
    hash.update(piece)
  }
  return hash.digest()
}

async function commit(
  parts: ReceiveParts,
  { connector, intakeId, recordingId, recordingSecret, receivedAt }: Pending,
  notice: Notice,
  audio: StoredAudio | null,
  options: ReceiveOptions,
): Promise<Received> {
  const { signal } = options
  const { tenantId, id: connectorId } = connector.row
  if (audio !== null && notice.declaredSha256 !== null && notice.declaredSha256 !== hex(audio.sha256)) {
    throw new VaultError('content_mismatch', 'The audio does not have the SHA-256 that its metadata declares')
  }
  const { bytes: sealedNotice } = await sealBytes(Buffer.from(JSON.stringify(notice)), {
    context: sealContext(recordingIdentity(tenantId, recordingId, 'notice'), 'application/json', receivedAt),
    under: recordingSecret,
    signal,
  })
  const intake: NewIntake = {
    id: intakeId,
    tenantId,
    connectorId,
    sourceKey: connector.sourceKey(notice.sourceId),
    contentMac: audio === null ? null : connector.contentMac(audio.sha256),
    recordingId,
    objectKey: audio?.objectKey ?? null,
    audioBytes: audio?.bytes ?? null,
    sealedNotice,
    receivedAt,
  }
  const event = await auditRecord(
    {
      tenantId,
      action: 'delivery.received',
      outcome: 'allowed',
      actor: { type: 'connector', tenantId, connectorId },
      object: { type: 'recording', id: recordingId, version: null },
      request: options.request,
    },
    null,
    receivedAt,
  )
  const result = await parts.catalog.commitIntake(intake, event, { signal })
  if (result.status === 'duplicate') return replay(connector, result.first, audio?.sha256 ?? null)
  return { receipt: receiptOf(intake), duplicate: false, audioBytes: intake.audioBytes }
}

/** Answers a repeated delivery as the first was answered, unless it brings other audio under the same name. */
function replay(connector: OpenConnector, first: IntakeRow, sha256: Uint8Array | null): Received {
  if (sha256 !== null && first.contentMac !== null) {
    const same = Buffer.compare(connector.contentMac(sha256), first.contentMac) === 0
    if (!same) throw new VaultError('source_conflict', 'This source id was delivered before with other audio')
  }
  return { receipt: receiptOf(first), duplicate: true, audioBytes: first.audioBytes }
}

function receiptOf(intake: Pick<IntakeRow, 'recordingId' | 'receivedAt'>): Receipt {
  return { status: 'received', recording: intake.recordingId, receivedAt: intake.receivedAt.toISOString() }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
