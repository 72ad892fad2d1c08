// The sending side, in a process of its own: makes requests, signs them, and only then takes the time.
import { randomUUID } from 'node:crypto'
import { createStandardDelivery } from '@auricle/pbx'
import { makeWave, readSamples } from '../../harness/samples.ts'
import { serveParent } from '../system/child.ts'
import { sendAll, type WireRequest } from './wire.ts'

export interface Load {
  readonly way: 'standard' | 'upload' | 'plain'
  readonly port: number
  /** Of the connector; empty for the plain server. */
  readonly path: string
  readonly secret: string
  readonly audioBytes: number
  readonly count: number
  readonly connections: number
}

export interface LoadAnswer {
  readonly tookMs: number
}

const host = '127.0.0.1'
const contentType = 'audio/wav'
const sampleName = 'voicemail-pcm16.wav'

serveParent('ready', async (load: Load): Promise<LoadAnswer> => {
  const audio = audioOf(load.audioBytes)
  const requests: WireRequest[] = []
  for (let i = 0; i < load.count; i++) requests.push(await makeRequest(load, audio))
  const startedMs = performance.now()
  await sendAll({ host, port: load.port }, requests, load.connections)
  return { tookMs: performance.now() - startedMs }
})

function audioOf(audioBytes: number): Buffer {
  const wave = readSamples().find(({ file }) => file === sampleName)?.wave
  if (wave === undefined || wave === null) throw new Error(`test/samples has no ${sampleName}`)
  return makeWave(wave, audioBytes, 'bench')
}

async function makeRequest(load: Load, audio: Buffer): Promise<WireRequest> {
  const id = randomUUID()
  if (load.way === 'upload') {
    const headers = {
      authorization: `Bearer ${load.secret}`,
      'content-type': contentType,
      'content-length': String(audio.length),
    }
    return { pieces: [head('PUT', `${load.path}/${id}.wav`, headers), audio] }
  }
  const delivery = await createStandardDelivery({
    metadata: {
      type: 'voicemail.received',
      timestamp: new Date().toISOString(),
      data: {
        id,
        kind: 'voicemail',
        mailbox: '2001',
        from: '+15555550100',
        direction: 'inbound',
        started_at: new Date().toISOString(),
        content_type: contentType,
      },
    },
    audio,
    contentType,
    fileName: 'message.wav',
    // The plain server checks no signature; it gets the same bytes.
    secret: load.way === 'plain' ? plainSecret : load.secret,
  })
  const pieces: Uint8Array[] = [head('POST', load.path, delivery.headers)]
  for await (const piece of delivery.body) pieces.push(piece)
  return { pieces }
}

const plainSecret = `whsec_${Buffer.alloc(32).toString('base64')}`

function head(method: string, path: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join('')}\r\n`)
}
