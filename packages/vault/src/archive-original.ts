// Stores the original of a recording: the delivered bytes, resealed under the recording's own name and kept.

import { createHash } from 'node:crypto'
import type { AudioFormat } from '@auricle/audio'
import type { IntakeRow, NewObject } from '@auricle/catalog'
import type { Notice } from '@auricle/contract'
import type { CallOptions, OpenedObject } from '@auricle/sealed'
import type { ArchivingParts } from './archive.ts'
import { VaultError } from './error.ts'
import { recordingKey } from './object-key.ts'
import type { Keeping } from './retention/decide-first.ts'
import { openStored, storedObject, storeObject } from './stored-object.ts'

export interface ArchivedOriginal {
  readonly object: NewObject
  /** What its first bytes say it is; null where that is nothing known. */
  readonly format: AudioFormat | null
}

const unknownContentType = 'application/octet-stream'

/**
 * Resolves when the original exists and its authenticated length and hash are those of the delivery. That its
 * bytes read back right is checked by the whole read that `deriveObjects` makes of it.
 */
export async function archiveOriginal(
  parts: ArchivingParts,
  intake: IntakeRow,
  notice: Notice,
  keeping: Keeping,
  options: CallOptions,
): Promise<ArchivedOriginal> {
  const { tenantId, recordingId } = intake
  const key = recordingKey(tenantId, recordingId, 'original')
  using delivered = await openDelivered(parts, intake, options)
  let facts = await parts.objects.head(key, options)
  if (facts === null) {
    const source =
      delivered === null
        ? await fetchRemote(parts, intake, notice, options)
        : {
            bytes: delivered.read(null, options),
            format: await sniffOpened(parts, delivered, notice, options),
          }
    const stored = await storeObject(
      parts,
      {
        tenantId,
        recordingId,
        role: 'original',
        contentType: source.format?.contentType ?? unknownContentType,
        createdAt: intake.receivedAt,
        keeping,
      },
      source.bytes,
      options,
    )
    facts = stored.facts
  }
  const sealed = { objectKey: key, sealedBytes: facts.sizeBytes, wrap: null }
  using original = await openStored(parts, tenantId, recordingId, 'original', sealed, options)
  if (delivered !== null && Buffer.compare(original.plaintextSha256, delivered.plaintextSha256) !== 0) {
    throw new VaultError('damaged', 'The stored original is not what was delivered')
  }
  return {
    object: storedObject('original', facts, original),
    format: await sniffOpened(parts, original, notice, options),
  }
}

async function openDelivered(parts: ArchivingParts, intake: IntakeRow, options: CallOptions) {
  if (intake.objectKey === null) return null
  const facts = await parts.objects.head(intake.objectKey, options)
  if (facts === null) throw new VaultError('damaged', 'The sealed audio of this delivery is missing')
  const object = { objectKey: intake.objectKey, sealedBytes: facts.sizeBytes, wrap: null }
  return openStored(parts, intake.tenantId, intake.recordingId, 'intake', object, options)
}

async function sniffOpened(
  parts: ArchivingParts,
  opened: OpenedObject,
  notice: Notice,
  options: CallOptions,
): Promise<AudioFormat | null> {
  const end = Math.min(parts.sniffBytes, opened.plaintextBytes)
  if (end === 0) return null
  const head: Uint8Array[] = []
  for await (const piece of opened.read({ start: 0, end }, options)) head.push(piece)
  return parts.sniff(Buffer.concat(head), notice)
}

async function fetchRemote(
  parts: ArchivingParts,
  intake: IntakeRow,
  notice: Notice,
  { signal }: CallOptions,
) {
  const connector = await parts.catalog.findConnector(intake.connectorId, { signal })
  if (notice.audioUrl === null || connector === null) {
    throw new VaultError('damaged', 'This delivery has neither audio nor a place to fetch it from')
  }
  const { allowedHosts, maxBytes } = connector
  const fetched = await parts.fetchAudio({ url: notice.audioUrl, allowedHosts, maxBytes, signal })
  return startOfRemote(parts, fetched.audio, notice)
}

/** Reads on until the kind of audio is known, then hands all of it out again. */
async function startOfRemote(parts: ArchivingParts, audio: AsyncIterable<Uint8Array>, notice: Notice) {
  const pieces = audio[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let headBytes = 0
  while (headBytes < parts.sniffBytes) {
    const next = await pieces.next()
    if (next.done === true) break
    head.push(next.value)
    headBytes += next.value.length
  }
  const format = parts.sniff(Buffer.concat(head), notice)
  if (format === null) {
    await pieces.return?.()
    throw new VaultError(headBytes === 0 ? 'empty_body' : 'not_audio', 'The URL did not give audio')
  }
  return { bytes: checkDeclared(head, pieces, notice), format }
}

async function* checkDeclared(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  notice: Notice,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of concatenated(head, rest)) {
    hash.update(piece)
    bytes += piece.length
    yield piece
  }
  const asDeclared =
    (notice.declaredBytes ?? bytes) === bytes &&
    (notice.declaredSha256 === null || notice.declaredSha256 === hash.digest('hex'))
  if (!asDeclared)
    throw new VaultError('content_mismatch', 'The fetched audio is not what its metadata declares')
}

async function* concatenated(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>) {
  try {
    yield* head
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}
