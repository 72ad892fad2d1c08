// The recordings the demo delivers: what each telephone system would say of its file. All callers are made up.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const folder = new URL('../../../../test/samples/', import.meta.url)

export interface Sample {
  readonly file: string
  readonly contentType: string
  readonly kind: 'voicemail' | 'recording'
  readonly mailbox: string
  readonly from: string
  readonly fromName: string
  readonly hoursAgo: number
}

export const samples: readonly Sample[] = [
  {
    file: 'voicemail-pcm16.wav',
    contentType: 'audio/wav',
    kind: 'voicemail',
    mailbox: '2001',
    from: '+15550100',
    fromName: 'Caller One',
    hoursAgo: 26,
  },
  {
    file: 'voicemail-short.wav',
    contentType: 'audio/wav',
    kind: 'voicemail',
    mailbox: '2001',
    from: '+15550101',
    fromName: 'Caller Two',
    hoursAgo: 20,
  },
  {
    file: 'voicemail-mulaw.wav',
    contentType: 'audio/wav',
    kind: 'voicemail',
    mailbox: '2001',
    from: '+15550102',
    fromName: 'Caller Three',
    hoursAgo: 8,
  },
  {
    file: 'voicemail.gsm',
    contentType: 'audio/x-gsm',
    kind: 'voicemail',
    mailbox: '2001',
    from: '+15550103',
    fromName: 'Caller Four',
    hoursAgo: 3,
  },
  {
    file: 'voicemail.mp3',
    contentType: 'audio/mpeg',
    kind: 'voicemail',
    mailbox: '2002',
    from: '+15550104',
    fromName: 'Caller Five',
    hoursAgo: 2,
  },
  {
    file: 'call-two-channel.wav',
    contentType: 'audio/wav',
    kind: 'recording',
    mailbox: '2001',
    from: '+15550105',
    fromName: 'Caller Six',
    hoursAgo: 1,
  },
]

export function sampleFile(name: string): string {
  return fileURLToPath(new URL(name, folder))
}

export function readSample(name: string): Promise<Buffer> {
  return readFile(sampleFile(name))
}
