// Real speech, as it is in the sample files and cut or repeated to any size in a WAV of its own.
import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../samples/', import.meta.url)
const riffHeaderBytes = 12
const chunkHeaderBytes = 8

const contentTypes: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  gsm: 'audio/x-gsm',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
}

export interface Sample {
  readonly file: string
  readonly contentType: string
  readonly bytes: Buffer
  /** The parts of a WAV whose samples can be cut anywhere; null for every other kind. */
  readonly wave: Wave | null
}

interface Wave {
  readonly format: Buffer
  readonly samples: Buffer
  readonly frameBytes: number
}

export function readSamples(): readonly Sample[] {
  return readdirSync(folder)
    .filter(file => contentTypes[extensionOf(file)] !== undefined)
    .sort()
    .map(file => {
      const bytes = readFileSync(new URL(file, folder))
      const contentType = contentTypes[extensionOf(file)] ?? ''
      return { file, contentType, bytes, wave: extensionOf(file) === 'wav' ? parseWave(bytes) : null }
    })
}

const extensionOf = (file: string) => file.split('.').at(-1) ?? ''

/** PCM, A-law and mu-law (WAVE format tags 1, 6, 7): every frame stands for itself. */
const cuttable: ReadonlySet<number> = new Set([1, 6, 7])

function parseWave(bytes: Buffer): Wave | null {
  let format: Buffer | null = null
  for (let at = riffHeaderBytes; at + chunkHeaderBytes <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    const content = bytes.subarray(at + chunkHeaderBytes, at + chunkHeaderBytes + size)
    if (name === 'fmt ') format = content
    if (name === 'data' && format !== null) {
      const frameBytes = format.readUInt16LE(12)
      return cuttable.has(format.readUInt16LE(0)) ? { format, samples: content, frameBytes } : null
    }
    at += chunkHeaderBytes + size + (size % 2)
  }
  return null
}

/** A WAV of about `sizeBytes` from the samples of `wave`, with `label` in its INFO chunk so that no two are alike. */
export function makeWave(wave: Wave, sizeBytes: number, label: string): Buffer {
  const { format, samples, frameBytes } = wave
  const text = Buffer.from(label.length % 2 === 0 ? `${label}\0\0` : `${label}\0`)
  const info = chunk('LIST', Buffer.concat([Buffer.from('INFO'), chunk('ICMT', text)]))
  const head = Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), info])
  const overhead = chunkHeaderBytes + head.length + chunkHeaderBytes
  const frames = Math.max(1, Math.floor((sizeBytes - overhead) / frameBytes))
  const dataBytes = frames * frameBytes
  const whole = Buffer.alloc(overhead + dataBytes + (dataBytes % 2))
  whole.write('RIFF', 0, 'latin1')
  whole.writeUInt32LE(whole.length - chunkHeaderBytes, 4)
  head.copy(whole, chunkHeaderBytes)
  whole.write('data', chunkHeaderBytes + head.length, 'latin1')
  whole.writeUInt32LE(dataBytes, chunkHeaderBytes + head.length + 4)
  for (let at = 0; at < dataBytes; at += samples.length) {
    samples.copy(whole, overhead + at, 0, Math.min(samples.length, dataBytes - at))
  }
  return whole
}

function chunk(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(chunkHeaderBytes)
  header.write(name, 0, 'latin1')
  header.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, content, Buffer.alloc(content.length % 2)])
}
