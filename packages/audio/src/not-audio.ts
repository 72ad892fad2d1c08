// What arrives in place of audio: error pages, documents, archives, pictures, programs.
import type { Head } from './bytes.ts'

/** Signatures in hexadecimal, at offset 0. */
const signatures = [
  '504b0304', // ZIP and office documents
  '504b0506',
  '25504446', // PDF
  '89504e47', // PNG
  '47494638', // GIF
  'ffd8ff', // JPEG
  '49492a00', // TIFF
  '4d4d002a',
  '52494646', // RIFF that is no WAVE: AVI, WebP
  '7f454c46', // ELF
  'cafebabe', // Java, Mach-O
  'feedface', // Mach-O
  'feedfacf',
  'cefaedfe',
  'cffaedfe',
  '0061736d', // WebAssembly
  '1f8b08', // gzip
  '425a68', // bzip2
  'fd377a585a00', // xz
  '377abcaf271c', // 7-Zip
  '526172211a07', // RAR
  '28b52ffd', // Zstandard
  'd0cf11e0', // OLE documents
  '53514c69746520666f726d6174', // SQLite
  '7b5c727466', // RTF
  '1a45dfa3', // EBML of a type that holds no audio
]
/** After white space, whatever encoding follows. */
const markup =
  /^(?:\xef\xbb\xbf)?\s*<(?:!doctype|\?xml|html|head|body|script|svg|error|response|[a-z]+:[a-z]+)/i
const markupLookahead = 256
const peOffsetAt = 0x3c
const tarMagicAt = 257
const minDistinctBytes = 4

/** Whether bytes that claim to be a raw codec are recognisably something else. */
export function isSomethingElse(head: Head): boolean {
  if (signatures.some(signature => head.hasHex(signature))) return true
  // Still pictures share their container with MP4.
  if (head.has('ftyp', 4) || head.has('ustar', tarMagicAt)) return true
  if (head.has('MZ') && head.has('PE\0\0', head.uint32le(peOffsetAt) ?? -1)) return true
  const bytes = head.bytes()
  return markup.test(Buffer.from(bytes.subarray(0, markupLookahead)).toString('latin1')) || isText(bytes)
}

/** UTF-8 without control characters, of more than a few different bytes: silence in A-law is a run of `U`. */
function isText(bytes: Uint8Array): boolean {
  if (new Set(bytes).size < minDistinctBytes) return false
  let text: string
  try {
    // The last character may be cut off by the end of what is known.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return false
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells text from audio
  return !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)
}
