// Says what delivered audio is, from its first bytes; null is what must not be stored as a recording.
import type { AudioFormat } from './audio-tool.ts'
import { type Head, readHead } from './bytes.ts'
import { isAdts, isMp3 } from './mpeg-header.ts'
import { isSomethingElse } from './not-audio.ts'
import { declaredRawCodec, gsm } from './raw-codec.ts'

/** How many bytes of the file `sniffAudio` can make use of. Fewer are fine where the file is shorter. */
export const sniffBytes = 4096

const format = (codec: string, contentType: string, demuxer: string): AudioFormat => ({
  codec,
  contentType,
  inputOptions: ['-f', demuxer],
})

/**
 * The bytes decide. Content type and file name count only for codecs that have no signature, and only while the
 * bytes do not look like something else. Never throws.
 */
export function sniffAudio(
  head: Uint8Array,
  hints: { readonly contentType: string | null; readonly fileName: string | null },
): AudioFormat | null {
  const bytes = readHead(head.subarray(0, sniffBytes))
  return sniffContainer(bytes) ?? sniffRaw(bytes, hints.contentType, hints.fileName)
}

function sniffContainer(head: Head): AudioFormat | null {
  const riff = head.has('RIFF') || head.has('RF64') || head.has('BW64') || head.has('RIFX')
  if (riff && head.has('WAVE', 8)) return format(`wav/${waveCodec(head)}`, 'audio/wav', 'wav')
  if (head.has('OggS')) return format(`ogg/${oggCodec(head)}`, 'audio/ogg', 'ogg')
  if (head.has('fLaC')) return format('flac', 'audio/flac', 'flac')
  if (head.has('.snd')) return format('au', 'audio/basic', 'au')
  if (head.has('FORM') && (head.has('AIFF', 8) || head.has('AIFC', 8)))
    return format('aiff', 'audio/aiff', 'aiff')
  if (head.has('caff\0\x01')) return format('caf', 'audio/x-caf', 'caf')
  if (head.has('#!AMR-WB\n')) return format('amr-wb', 'audio/AMR-WB', 'amr')
  if (head.has('#!AMR\n')) return format('amr', 'audio/AMR', 'amr')
  if (head.hasHex('1a45dfa3')) return sniffMatroska(head)
  if (head.has('ftyp', 4)) return sniffMp4(head)
  if (isAdts(head)) return format('aac', 'audio/aac', 'aac')
  if (isMp3(head)) return format('mp3', 'audio/mpeg', 'mp3')
  return null
}

/** WAVE format tags (RFC 2361 and mmreg.h) that PBXs write. */
const waveCodecs = new Map([
  [0x0001, 'pcm'],
  [0x0002, 'adpcm_ms'],
  [0x0003, 'float'],
  [0x0006, 'pcm_alaw'],
  [0x0007, 'pcm_mulaw'],
  [0x0011, 'adpcm_ima_wav'],
  [0x0022, 'truespeech'],
  [0x0031, 'gsm_ms'],
  [0x0045, 'g726'],
  [0x0050, 'mp2'],
  [0x0055, 'mp3'],
])
const extensible = 0xfffe
/** Bytes from the start of the chunk to its sample size, and to the format tag of the extensible form. */
const bitsPerSampleAt = 22
const subFormatAt = 32

function waveCodec(head: Head): string {
  const at = findChunk(head, 'fmt ')
  const tag = at === null ? null : head.uint16le(at + 8)
  const effective = tag === extensible && at !== null ? head.uint16le(at + subFormatAt) : tag
  if (effective === null || at === null) return 'unknown'
  const name = waveCodecs.get(effective) ?? `0x${effective.toString(16).padStart(4, '0')}`
  const bits = head.uint16le(at + bitsPerSampleAt) ?? 0
  if (name === 'pcm') return bits === 8 ? 'pcm_u8' : `pcm_s${bits}le`
  return name === 'float' ? `pcm_f${bits}le` : name
}

/** Where a chunk of a RIFF file begins; others (JUNK, bext, ds64) may come before it. */
function findChunk(head: Head, name: string): number | null {
  for (let offset = 12; offset + 8 <= head.length; ) {
    if (head.has(name, offset)) return offset
    const size = head.uint32le(offset + 4) ?? 0
    offset += 8 + size + (size % 2)
  }
  return null
}

/** The first page holds one packet, which names the codec (RFC 3533 section 6, RFC 7845 section 5.1). */
function oggCodec(head: Head): string {
  const packetAt = 27 + (head.byte(26) ?? 0)
  if (head.has('OpusHead', packetAt)) return 'opus'
  if (head.has('\x01vorbis', packetAt)) return 'vorbis'
  if (head.has('Speex   ', packetAt)) return 'speex'
  if (head.has('\x7fFLAC', packetAt)) return 'flac'
  return 'unknown'
}

/** The EBML header is small, and names its document type. */
function sniffMatroska(head: Head): AudioFormat | null {
  const headerEnd = 128
  if (head.find('webm', headerEnd) !== -1) return format('webm', 'audio/webm', 'matroska')
  if (head.find('matroska', headerEnd) !== -1) return format('matroska', 'audio/x-matroska', 'matroska')
  return null
}

/** Brands of still pictures and raw photographs in the same container (ISO 14496-12, 23008-12). */
const pictureBrands = [
  'heic',
  'heix',
  'hevc',
  'hevx',
  'heim',
  'heis',
  'mif1',
  'msf1',
  'avif',
  'avis',
  'crx ',
  'jxl ',
]

function sniffMp4(head: Head): AudioFormat | null {
  if (pictureBrands.some(brand => head.has(brand, 8))) return null
  const is3gpp = head.has('3gp', 8) || head.has('3g2', 8)
  return is3gpp ? format('3gp', 'audio/3gpp', 'mov') : format('mp4', 'audio/mp4', 'mov')
}

const gsmFrameBytes = 33
const gsmSignature = 0xd

function sniffRaw(head: Head, contentType: string | null, fileName: string | null): AudioFormat | null {
  const declared = declaredRawCodec(contentType, fileName)
  if (declared === null || head.length === 0 || isSomethingElse(head)) return null
  return declared.codec === gsm.codec && !isGsm(head) ? null : declared
}

/** Every frame of GSM 06.10 begins with the same four bits (RFC 3551 section 4.5.8). */
function isGsm(head: Head): boolean {
  if (head.length < gsmFrameBytes) return false
  for (let offset = 0; offset + gsmFrameBytes <= head.length; offset += gsmFrameBytes) {
    if ((head.byte(offset) ?? 0) >> 4 !== gsmSignature) return false
  }
  return true
}
