// Codecs without a header of their own: what content types and file extensions declare them, as PBXs use them.
import type { AudioFormat } from './audio-tool.ts'

export type RawCodec = AudioFormat & { readonly codec: string }

const pcm = (
  demuxer: string,
  codec: string,
  contentType: string,
  sampleRate: number,
  channels = 1,
): RawCodec => ({
  codec,
  contentType,
  inputOptions: ['-f', demuxer, '-ar', String(sampleRate), '-ac', String(channels)],
})

const telephoneRate = 8000
const mulaw = pcm('mulaw', 'pcm_mulaw', 'audio/PCMU', telephoneRate)
const alaw = pcm('alaw', 'pcm_alaw', 'audio/PCMA', telephoneRate)
export const gsm: RawCodec = { codec: 'gsm', contentType: 'audio/gsm', inputOptions: ['-f', 'gsm'] }
const g722: RawCodec = { codec: 'g722', contentType: 'audio/G722', inputOptions: ['-f', 'g722'] }
const g729: RawCodec = { codec: 'g729', contentType: 'audio/G729', inputOptions: ['-f', 'g729'] }

/** Asterisk's signed linear: 16 bit little-endian mono, the rate in the name. */
const slin = (sampleRate: number) => pcm('s16le', 'pcm_s16le', `audio/x-slin;rate=${sampleRate}`, sampleRate)

const byExtension = new Map<string, RawCodec>([
  ['gsm', gsm],
  ['ulaw', mulaw],
  ['mulaw', mulaw],
  ['ul', mulaw],
  ['mu', mulaw],
  ['ulw', mulaw],
  ['pcmu', mulaw],
  ['alaw', alaw],
  ['al', alaw],
  ['alw', alaw],
  ['pcma', alaw],
  ['g722', g722],
  ['g729', g729],
  ['sln', slin(telephoneRate)],
  ['slin', slin(telephoneRate)],
  ['raw', slin(telephoneRate)],
  ...[12, 16, 24, 32, 44, 48, 96, 192].map((kilohertz): [string, RawCodec] => [
    `sln${kilohertz}`,
    slin(kilohertz === 44 ? 44_100 : kilohertz * 1000),
  ]),
])

const byContentType = new Map<string, RawCodec>([
  ['audio/gsm', gsm],
  ['audio/x-gsm', gsm],
  ['audio/pcmu', mulaw],
  ['audio/x-mulaw', mulaw],
  ['audio/x-ulaw', mulaw],
  // RFC 2046 section 4.2: 8-bit mu-law, 8 kHz, one channel.
  ['audio/basic', mulaw],
  ['audio/pcma', alaw],
  ['audio/x-alaw', alaw],
  ['audio/g722', g722],
  ['audio/g729', g729],
])

const minRate = 4000
const maxRate = 192_000

/** The raw codec that the content type declares or, where that says nothing, the file's extension. */
export function declaredRawCodec(contentType: string | null, fileName: string | null): RawCodec | null {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';', 8)
  const name = type.trim()
  if (name === 'audio/l16' || name === 'audio/x-slin' || name === 'audio/x-sln') {
    return linear(name === 'audio/l16' ? 's16be' : 's16le', parameters)
  }
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(fileName ?? '')?.[1]?.toLowerCase()
  return byContentType.get(name) ?? byExtension.get(extension ?? '') ?? null
}

/** RFC 2586: L16 is big-endian and names its rate; the slin types of PBXs are little-endian. */
function linear(demuxer: 's16be' | 's16le', parameters: readonly string[]): RawCodec | null {
  const read = (name: string, otherwise: number) => {
    const value = parameters.map(text => text.trim().split('=')).find(([key]) => key === name)?.[1]
    return value === undefined ? otherwise : /^[0-9]{1,6}$/.test(value) ? Number(value) : Number.NaN
  }
  const sampleRate = read('rate', telephoneRate)
  const channels = read('channels', 1)
  if (!(sampleRate >= minRate && sampleRate <= maxRate) || !(channels === 1 || channels === 2)) return null
  const type = demuxer === 's16be' ? 'audio/L16' : 'audio/x-slin'
  const contentType = `${type};rate=${sampleRate}${channels === 1 ? '' : ';channels=2'}`
  return pcm(demuxer, `pcm_${demuxer}`, contentType, sampleRate, channels)
}
