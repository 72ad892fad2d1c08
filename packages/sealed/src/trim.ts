// Cuts an opened segment to the part of it that a plaintext range asked for.
import type { ByteRange } from '@auricle/contract'
import { plaintextStart, type TinkLayout } from './tink-layout.ts'
import type { OpenedSegment } from './tink-stream.ts'

export function trimmed(segment: OpenedSegment, layout: TinkLayout, wanted: ByteRange): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = plaintextStart(layout, segment.index)
  for (const piece of segment.plaintext) {
    const from = Math.max(wanted.start - at, 0)
    const to = Math.min(wanted.end - at, piece.length)
    if (from < to) pieces.push(from === 0 && to === piece.length ? piece : piece.subarray(from, to))
    at += piece.length
  }
  return pieces
}
