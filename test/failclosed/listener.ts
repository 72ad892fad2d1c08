// Somebody who listens: makes one request for audio and tells what really came, however the connection ended.
import { type Agent, request } from 'node:http'

/** What the audio of a run is made of, so that it is known wherever it turns up. */
const marker = Buffer.from('auricle fail-closed audio;')
const shortestTrace = 12

export interface Wish {
  readonly url: string
  readonly token: string
  /** Each has an address of its own: a playback is one listener's. */
  readonly ip: string
  readonly range: { readonly start: number; readonly end: number } | null
  /** Goes away after as long, whatever has come by then. */
  readonly patienceMs: number
}

export interface Heard {
  /** Null where no answer began. */
  readonly status: number | null
  /** Bytes of audio that arrived; in an answer that is none, bytes that look like it. */
  readonly audioBytes: number
  /** A refusal that tells more than that it is one. */
  readonly tells: boolean
}

/** The n-th address of a network that nobody is in: a listener's own. */
export const addressOf = (n: number): string => ['10', (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff].join('.')

const telling = ['etag', 'content-range', 'accept-ranges', 'content-disposition']
const failedStatus = 400

export function listen({ url, token, ip, range, patienceMs }: Wish, agent: Agent | false): Promise<Heard> {
  const { promise, resolve } = Promise.withResolvers<Heard>()
  const headers = {
    authorization: `Bearer ${token}`,
    'x-forwarded-for': ip,
    ...(range === null ? {} : { range: `bytes=${range.start}-${range.end - 1}` }),
  }
  let heard: Heard = { status: null, audioBytes: 0, tells: false }
  const outgoing = request(url, { headers, agent })
  const timer = setTimeout(() => outgoing.destroy(), patienceMs)
  const end = () => {
    clearTimeout(timer)
    resolve(heard)
  }
  outgoing.on('error', end)
  outgoing.on('close', end)
  outgoing.on('response', incoming => {
    const status = incoming.statusCode ?? 0
    const isRefusal = status >= failedStatus
    heard = {
      status,
      audioBytes: 0,
      tells: isRefusal && telling.some(name => incoming.headers[name] !== undefined),
    }
    incoming.on('data', (piece: Buffer) => {
      const bytes = isRefusal ? tracesIn(piece) : piece.length
      heard = { ...heard, audioBytes: heard.audioBytes + bytes }
    })
    incoming.on('error', () => undefined)
    incoming.on('close', end)
  })
  outgoing.end()
  return promise
}

function tracesIn(piece: Buffer): number {
  return piece.includes(marker.subarray(0, shortestTrace)) || piece.includes(marker.subarray(shortestTrace))
    ? piece.length
    : 0
}

const wavHeaderBytes = 44
const wavBytesPerSecond = 16_000

/** A WAV of 8 kHz and 16 bits whose samples are the marker, over and over. */
export function markedWav(seconds: number): Buffer {
  const samples = Buffer.alloc(seconds * wavBytesPerSecond, marker)
  const header = Buffer.alloc(wavHeaderBytes)
  header.write('RIFF', 0)
  header.writeUInt32LE(wavHeaderBytes - 8 + samples.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(wavBytesPerSecond / 2, 24)
  header.writeUInt32LE(wavBytesPerSecond, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.length, 40)
  return Buffer.concat([header, samples])
}
