// A call whose every fact is a marker: number, name, note, file name, and the sound itself.
import type { Handover } from '../harness/delivery.ts'
import { makeWave, type Sample } from '../harness/samples.ts'
import { bytesMarker, type Marker, numberMarker, textMarker } from './marker.ts'

const patternEveryBytes = 1_009

export interface MarkedCall {
  readonly markers: readonly Marker[]
  readonly from: string
  readonly sourceId: string
  readonly fileName: string
  readonly facts: Handover['facts']
  readonly audio: Buffer
}

export function markCall(title: string, sample: Sample, sizeBytes: number, mailbox: string): MarkedCall {
  const name = (what: string) => `${title}: ${what}`
  const from = numberMarker(name("caller's number"))
  const to = numberMarker(name('called number'))
  const texts = {
    fromName: textMarker(name("caller's name")),
    patient: textMarker(name('patient reference')),
    note: textMarker(name('note')),
    sourceId: textMarker(name('source id')),
    fileName: textMarker(name('file name')),
    info: textMarker(name('text in the INFO chunk')),
  }
  const sound = bytesMarker(name('samples'))
  if (sample.wave === null) throw new TypeError('A marked call is made from a WAV')
  const audio = makeWave(sample.wave, sizeBytes, texts.info.text)
  for (let at = patternEveryBytes; at + sound.bytes.length < audio.length; at += patternEveryBytes) {
    sound.bytes.copy(audio, at)
  }
  return {
    markers: [from, to, ...Object.values(texts), sound],
    from: `+${from.text}`,
    sourceId: `call ${texts.sourceId.text}`,
    fileName: `${texts.fileName.text}.wav`,
    facts: {
      kind: 'voicemail',
      mailbox,
      direction: 'inbound',
      from: `+${from.text}`,
      from_name: `Zoë ${texts.fromName.text}`,
      to: `+${to.text}`,
      patient_reference: `MRN ${texts.patient.text}`,
      note: `Asks to be called back: ${texts.note.text}`,
      started_at: '2026-01-02T03:04:05Z',
    },
    audio,
  }
}
