// A WAV of any size that is made as it is read: a true header, then noise that is the same every time.
import { createCipheriv } from 'node:crypto'

const channels = 2
/** High, so that two gigabytes are half an hour of audio and not two days of it. */
const sampleRate = 192_000
const sampleBytes = 4
const headerBytes = 44
const pieceBytes = 256 * 1024
const keyBytes = 32
const nonceBytes = 16

/** About `sizeBytes`, down to a whole frame. */
export function longWave(sizeBytes: number): { readonly bytes: number; read(): AsyncGenerator<Uint8Array> } {
  const frameBytes = channels * sampleBytes
  const dataBytes = Math.floor((sizeBytes - headerBytes) / frameBytes) * frameBytes
  return {
    bytes: headerBytes + dataBytes,
    async *read() {
      yield header(dataBytes)
      const noise = createCipheriv('aes-256-ctr', Buffer.alloc(keyBytes), Buffer.alloc(nonceBytes))
      const zeros = Buffer.alloc(pieceBytes)
      for (let at = 0; at < dataBytes; at += pieceBytes) {
        yield noise.update(zeros.subarray(0, Math.min(pieceBytes, dataBytes - at)))
      }
    },
  }
}

/** RIFF with a `fmt ` chunk of plain PCM (Microsoft, Multimedia Programming Interface 1.0). */
function header(dataBytes: number): Buffer {
  const frameBytes = channels * sampleBytes
  const bytes = Buffer.alloc(headerBytes)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(headerBytes - 8 + dataBytes, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(sampleRate, 24)
  bytes.writeUInt32LE(sampleRate * frameBytes, 28)
  bytes.writeUInt16LE(frameBytes, 32)
  bytes.writeUInt16LE(sampleBytes * 8, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(dataBytes, 40)
  return bytes
}
