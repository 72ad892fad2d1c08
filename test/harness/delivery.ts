// Hands a recording over as each kind of PBX does: signed multipart, signed JSON with a URL, or an upload.
import { randomUUID } from 'node:crypto'
import { createStandardDelivery, type StandardEvent, signStandard } from '@auricle/pbx'
import type { DeliveryPoint } from './clinic.ts'
import { type Answer, inPieces, send } from './http-client.ts'

export type Way = 'multipart' | 'url' | 'upload'

export interface Handover {
  readonly ingestUrl: string
  readonly point: DeliveryPoint
  readonly sourceId: string
  readonly facts: Omit<StandardEvent['data'], 'id'>
  readonly audio: Uint8Array
  readonly contentType: string
  readonly fileName: string
  /** For the way `url`: where the audio can be fetched. */
  readonly audioUrl?: string
  readonly timeoutMs: number
  /** Breaks the connection after this share of the body. */
  readonly cutAt?: number | null
  /** Signs with a secret that is not the connector's. */
  readonly forged?: boolean
}

export function deliver(way: Way, handover: Handover): Promise<Answer> {
  switch (way) {
    case 'multipart':
      return deliverMultipart(handover)
    case 'url':
      return deliverUrl(handover)
    case 'upload':
      return deliverUpload(handover)
    default:
      return way satisfies never
  }
}

const aForgedSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const aForgedToken = 'not-the-token-of-this-connector'

function eventOf({ sourceId, facts }: Handover): StandardEvent {
  const type = facts.kind === 'voicemail' ? 'voicemail.received' : 'recording.completed'
  return { type, timestamp: new Date().toISOString(), data: { ...facts, id: sourceId } }
}

async function deliverMultipart(handover: Handover): Promise<Answer> {
  const { ingestUrl, point, audio, contentType, fileName, timeoutMs, cutAt = null } = handover
  const delivery = await createStandardDelivery({
    metadata: eventOf(handover),
    audio: () => inPieces(audio),
    contentType,
    fileName,
    secret: handover.forged === true ? aForgedSecret : point.secret,
  })
  return send({
    method: 'POST',
    url: `${ingestUrl}/v1/ingest/${point.id}`,
    headers: delivery.headers,
    body: delivery.body,
    cutAfterBytes: cutAt === null ? null : Math.floor(delivery.contentLength * cutAt),
    timeoutMs,
  })
}

async function deliverUrl(handover: Handover): Promise<Answer> {
  const { ingestUrl, point, audioUrl = '', contentType, timeoutMs } = handover
  const { type, timestamp, data } = eventOf(handover)
  const metadata = { type, timestamp, data: { ...data, audio_url: audioUrl, content_type: contentType } }
  const body = Buffer.from(JSON.stringify(metadata))
  const secret = handover.forged === true ? aForgedSecret : point.secret
  return send({
    method: 'POST',
    url: `${ingestUrl}/v1/ingest/${point.id}`,
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...signStandard({ id: randomUUID(), timestamp: new Date(), secret, body }),
    },
    body: inPieces(body),
    timeoutMs,
  })
}

async function deliverUpload(handover: Handover): Promise<Answer> {
  const {
    ingestUrl,
    point,
    sourceId,
    facts,
    audio,
    contentType,
    fileName,
    timeoutMs,
    cutAt = null,
  } = handover
  const field = (name: string, value: string | null | undefined) =>
    value === null || value === undefined ? {} : { [`x-auricle-${name}`]: encodeURIComponent(value) }
  return send({
    method: 'PUT',
    url: `${ingestUrl}/v1/ingest/${point.id}/${encodeURIComponent(fileName)}`,
    headers: {
      authorization: `Bearer ${handover.forged === true ? aForgedToken : point.secret}`,
      'content-type': contentType,
      'content-length': String(audio.length),
      ...field('source-id', sourceId),
      ...field('kind', facts.kind),
      ...field('mailbox', facts.mailbox),
      ...field('from', facts.from),
      ...field('from-name', facts.from_name),
      ...field('to', facts.to),
      ...field('patient-reference', facts.patient_reference),
      ...field('started-at', facts.started_at),
    },
    body: inPieces(audio),
    cutAfterBytes: cutAt === null ? null : Math.floor(audio.length * cutAt),
    timeoutMs,
  })
}
