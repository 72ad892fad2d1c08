// Reads the stored original back whole, and makes from those bytes what browsers play and the waveform they show.
import type { RenderFacts, Rendition } from '@auricle/audio'
import type { IntakeRow, NewObject } from '@auricle/catalog'
import { type AudioState, type ObjectRole, Peaks } from '@auricle/contract'
import type { CallOptions, OpenedObject } from '@auricle/sealed'
import type { ArchivingParts } from './archive.ts'
import type { ArchivedOriginal } from './archive-original.ts'
import { isError } from './error.ts'
import { recordingKey } from './object-key.ts'
import type { Keeping } from './retention/decide-first.ts'
import { openStored, readWhole, storedObject, storeObject } from './stored-object.ts'

export interface Derived {
  readonly objects: readonly NewObject[]
  readonly audioState: AudioState
  readonly durationMs: number | null
  readonly channels: number | null
}

/** Far above what the audio tool makes, far below what would hurt. */
const peaksMaxBytes = 4 * 1024 * 1024
const peaksContentType = 'application/json'

/** Throws where the original does not read back right: then nothing may be committed. */
export async function deriveObjects(
  parts: ArchivingParts,
  intake: IntakeRow,
  original: ArchivedOriginal,
  keeping: Keeping,
  options: CallOptions,
): Promise<Derived> {
  const { tenantId, recordingId } = intake
  using opened = await openStored(parts, tenantId, recordingId, 'original', original.object, options)
  const earlier = await openDerived(parts, intake, 'peaks', options)
  if (earlier !== null) {
    using peaks = earlier.opened
    await drain(opened.read(null, options))
    const facts = Peaks.parse(JSON.parse((await readWhole(peaks, peaksMaxBytes, options)).toString('utf8')))
    return finish(parts, intake, { durationMs: facts.durationMs, channels: facts.channels }, options)
  }
  if (parts.audio === null || original.format === null) {
    await drain(opened.read(null, options))
    const audioState = original.format === null ? 'undecodable' : 'original-only'
    return { objects: [], audioState, durationMs: null, channels: null }
  }
  try {
    const facts = await render(parts, intake, original, opened, keeping, options)
    return await finish(parts, intake, facts, options)
  } catch (error) {
    if (!isError(error, 'AudioError', 'undecodable')) throw error
    // The tool may have stopped in the middle: the read-back is made up for here.
    await drain(opened.read(null, options))
    return { objects: [], audioState: 'undecodable', durationMs: null, channels: null }
  }
}

async function render(
  parts: ArchivingParts,
  intake: IntakeRow,
  original: ArchivedOriginal,
  opened: OpenedObject,
  keeping: Keeping,
  options: CallOptions,
): Promise<RenderFacts> {
  const { tenantId, recordingId } = intake
  const { audio } = parts
  const { format } = original
  if (audio === null || format === null) throw new TypeError('nothing to render with')
  const rendition = audio.render(opened.read(null, options), format, options)
  const common = { tenantId, recordingId, createdAt: intake.receivedAt, keeping }
  const playback = { ...common, role: 'playback' as const, contentType: rendition.contentType }
  const { status } = await storeObject(parts, playback, rendition.playback, options)
  const facts =
    status === 'created'
      ? rendition.facts()
      : await renderFacts(audio.render(opened.read(null, options), format, options))
  const json = Buffer.from(JSON.stringify(facts.peaks))
  const peaks = { ...common, role: 'peaks' as const, contentType: peaksContentType }
  await storeObject(
    parts,
    peaks,
    (async function* () {
      yield json
    })(),
    options,
  )
  return facts
}

/**
 * A run before this one stored the rendition and died before the peaks. The store has left the second one off where
 * it found the first, so this one is rendered whole, for its facts alone.
 */
async function renderFacts(rendition: Rendition): Promise<RenderFacts> {
  await drain(rendition.playback)
  return rendition.facts()
}

async function finish(
  parts: ArchivingParts,
  intake: IntakeRow,
  facts: Pick<RenderFacts, 'durationMs' | 'channels'>,
  options: CallOptions,
): Promise<Derived> {
  const objects: NewObject[] = []
  for (const role of ['playback', 'peaks'] as const) {
    const found = await openDerived(parts, intake, role, options)
    if (found === null) throw new TypeError('a derived object vanished')
    using opened = found.opened
    await drain(opened.read(null, options))
    objects.push(storedObject(role, found.facts, opened))
  }
  return { objects, audioState: 'ready', durationMs: facts.durationMs, channels: facts.channels }
}

async function openDerived(parts: ArchivingParts, intake: IntakeRow, role: ObjectRole, options: CallOptions) {
  const { tenantId, recordingId } = intake
  const objectKey = recordingKey(tenantId, recordingId, role)
  const facts = await parts.objects.head(objectKey, options)
  if (facts === null) return null
  const object = { objectKey, sealedBytes: facts.sizeBytes, wrap: null }
  return { facts, opened: await openStored(parts, tenantId, recordingId, role, object, options) }
}

/** A whole read of an opened object throws unless every tag, the length and the hash are right. */
async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}
