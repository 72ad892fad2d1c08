// The signed JSON of the `standard` connector, and the notice it becomes.
import { CallDirection, type Notice, RecordingKind } from '@auricle/contract'
import { z } from 'zod'
import { PbxError } from './error.ts'
import {
  declaredType,
  instantText,
  noteText,
  parseMetadata,
  plainFileName,
  sha256Text,
  shortText,
  sourceIdText,
  toNotice,
  webUrlText,
} from './notice-text.ts'

/** Fields that are not named here are ignored, so a sender may add its own. */
const StandardEvent = z.object({
  type: z.enum(['recording.completed', 'voicemail.received']),
  timestamp: z.iso.datetime({ offset: true }).nullish(),
  data: z.object({
    id: sourceIdText,
    kind: RecordingKind.nullish(),
    mailbox: shortText.nullish(),
    direction: CallDirection.nullish(),
    from: shortText.nullish(),
    from_name: shortText.nullish(),
    to: shortText.nullish(),
    patient_reference: shortText.nullish(),
    note: noteText.nullish(),
    started_at: instantText.nullish(),
    content_type: shortText.nullish(),
    size: z.int().nonnegative().nullish(),
    sha256: sha256Text.nullish(),
    audio_url: webUrlText.nullish(),
  }),
})
export type StandardEvent = z.input<typeof StandardEvent>

/** What the transport says of the audio, where the metadata does not. */
export interface AudioPart {
  readonly contentType: string | null
  readonly fileName: string | null
}

/** `audioPart` is null where the audio is to be fetched. Throws `PbxError('malformed')`. */
export function parseStandardEvent(bytes: Uint8Array, audioPart: AudioPart | null): Notice {
  const { type, data } = parseMetadata(StandardEvent, parseJson(bytes), 'The metadata')
  const audioUrl = data.audio_url ?? null
  if (audioPart === null && audioUrl === null) {
    throw new PbxError('malformed', 'The metadata names no audio_url, and no audio came with it.')
  }
  if (audioPart !== null && audioUrl !== null) {
    throw new PbxError('malformed', 'The metadata names an audio_url although the audio came with it.')
  }
  return toNotice({
    sourceId: data.id,
    kind: data.kind ?? (type === 'voicemail.received' ? 'voicemail' : 'recording'),
    mailbox: data.mailbox ?? null,
    direction: data.direction ?? null,
    from: data.from ?? null,
    fromName: data.from_name ?? null,
    to: data.to ?? null,
    patientReference: data.patient_reference ?? null,
    note: data.note ?? null,
    startedAt: data.started_at ?? null,
    contentType: declaredType(data.content_type) ?? declaredType(audioPart?.contentType),
    fileName: plainFileName(audioPart?.fileName ?? null),
    declaredBytes: data.size ?? null,
    declaredSha256: data.sha256 ?? null,
    audioUrl,
  })
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The parser's own message quotes the text, which may name a patient: it is not kept as the cause.
    throw new PbxError('malformed', 'The metadata is not JSON in UTF-8.')
  }
}
