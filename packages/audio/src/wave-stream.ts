// Reads the WAV stream that our own ffmpeg writes: its channel count, then its samples in whole frames.

export interface WaveStream {
  readonly channels: number
  /** 16-bit little-endian, channels interleaved; every piece holds whole frames. */
  readonly samples: AsyncIterable<Buffer>
}

const maxHeaderBytes = 4096
const riffHeaderBytes = 12
const chunkHeaderBytes = 8
const channelsAt = 10
export const bytesPerSample = 2

/** Null where the stream ends before its samples begin. */
export async function readWave(stream: AsyncIterable<Buffer>): Promise<WaveStream | null> {
  const pieces = stream[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  for (;;) {
    const header = parseHeader(head)
    if (header !== null) {
      const { channels, bytes } = header
      return { channels, samples: wholeFrames(head.subarray(bytes), pieces, channels * bytesPerSample) }
    }
    const next = await pieces.next()
    if (next.done === true || head.length > maxHeaderBytes) return null
    head = Buffer.concat([head, next.value])
  }
}

/** Null while the header is not complete. */
function parseHeader(head: Buffer): { channels: number; bytes: number } | null {
  let channels: number | null = null
  for (let offset = riffHeaderBytes; offset + chunkHeaderBytes <= head.length; ) {
    const name = head.toString('latin1', offset, offset + 4)
    if (name === 'data') return channels === null ? null : { channels, bytes: offset + chunkHeaderBytes }
    if (name === 'fmt ' && offset + channelsAt + 2 <= head.length)
      channels = head.readUInt16LE(offset + channelsAt)
    offset += chunkHeaderBytes + head.readUInt32LE(offset + 4)
  }
  return null
}

async function* wholeFrames(first: Buffer, rest: AsyncIterator<Buffer>, frameBytes: number) {
  let pending = first
  try {
    for (;;) {
      const usable = pending.length - (pending.length % frameBytes)
      if (usable > 0) yield pending.subarray(0, usable)
      const next = await rest.next()
      if (next.done === true) return
      pending = usable === pending.length ? next.value : Buffer.concat([pending.subarray(usable), next.value])
    }
  } finally {
    await rest.return?.()
  }
}
