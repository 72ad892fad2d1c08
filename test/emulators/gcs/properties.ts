// What a caller may say about an object, at its creation and later: parsed, and merged as a patch merges.
import { asRecord, asText, asTime, asTruth, type JsonRecord } from './json.ts'
import { invalid } from './refusal.ts'

export interface Retention {
  readonly mode: 'Unlocked' | 'Locked'
  readonly retainUntil: number
}

const texts = [
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'contentType',
] as const

export interface Properties {
  readonly texts: Readonly<Partial<Record<(typeof texts)[number], string>>>
  readonly metadata: Readonly<Record<string, string>>
  readonly customTime: number | null
  readonly temporaryHold: boolean
  readonly eventBasedHold: boolean
  readonly retention: Retention | null
}

export const noProperties: Properties = {
  texts: {},
  metadata: {},
  customTime: null,
  temporaryHold: false,
  eventBasedHold: false,
  retention: null,
}

/** Of keys and values together. */
const mostCustomMetadataBytes = 8_192

/** Fields that are absent stay as they are, null removes; fields that cannot be written are passed over. */
export function patchProperties(current: Properties, changes: JsonRecord): Properties {
  const eventBasedHold = patchTruth(current.eventBasedHold, changes['eventBasedHold'], 'eventBasedHold')
  const retention = patchRetention(current.retention, changes['retention'])
  if (eventBasedHold && retention !== null) {
    throw invalid('An object cannot have an event-based hold and a retention configuration.')
  }
  return {
    texts: patchTexts(current.texts, changes),
    metadata: patchMetadata(current.metadata, changes['metadata']),
    customTime: patchCustomTime(current.customTime, changes['customTime']),
    temporaryHold: patchTruth(current.temporaryHold, changes['temporaryHold'], 'temporaryHold'),
    eventBasedHold,
    retention,
  }
}

function patchTexts(current: Properties['texts'], changes: JsonRecord): Properties['texts'] {
  const patched = { ...current }
  for (const name of texts) {
    const change = changes[name]
    if (change === null) delete patched[name]
    else if (change !== undefined) patched[name] = asText(change, name)
  }
  return patched
}

function patchMetadata(current: Properties['metadata'], change: unknown): Properties['metadata'] {
  if (change === undefined) return current
  if (change === null) return {}
  const patched = new Map(Object.entries(current))
  for (const [name, value] of Object.entries(asRecord(change, 'metadata'))) {
    if (value === null) patched.delete(name)
    else patched.set(name, asText(value, `metadata.${name}`))
  }
  const sizeBytes = [...patched].flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (sizeBytes > mostCustomMetadataBytes) {
    throw invalid(
      `The custom metadata is ${sizeBytes} bytes, at most ${mostCustomMetadataBytes} are allowed.`,
    )
  }
  return Object.fromEntries(patched)
}

function patchCustomTime(current: number | null, change: unknown): number | null {
  if (change === undefined) return current
  const isEarlier = change === null || (current !== null && asTime(change, 'customTime') < current)
  if (current !== null && isEarlier) throw invalid('Custom time cannot be removed or set to an earlier time.')
  return change === null ? null : asTime(change, 'customTime')
}

function patchTruth(current: boolean, change: unknown, what: string): boolean {
  if (change === undefined) return current
  return change === null ? false : asTruth(change, what)
}

function patchRetention(current: Retention | null, change: unknown): Retention | null {
  if (change === undefined) return current
  if (change === null) return null
  const { mode, retainUntilTime } = asRecord(change, 'retention') as {
    mode?: unknown
    retainUntilTime?: unknown
  }
  const isEmpty = (mode ?? null) === null && (retainUntilTime ?? null) === null
  if (isEmpty) return null
  if (mode !== 'Unlocked' && mode !== 'Locked') throw invalid('Invalid value for field retention.mode.')
  return { mode, retainUntil: asTime(retainUntilTime, 'retention.retainUntilTime') }
}
