// The contract of the audio tool: from delivered bytes to what a browser plays and the waveform it shows.
import type { Peaks } from '@auricle/contract'

/** What the first bytes (and, for raw codecs, the declared type or file name) say the audio is. */
export interface AudioFormat {
  /** Container and codec as far as known: `wav/pcm_s16le`, `wav/gsm_ms`, `gsm`, `mp3`, `ogg/opus`, ... */
  readonly codec: string
  /** Content type to serve the original under. */
  readonly contentType: string
  /** ffmpeg's input arguments that force its demuxer, without `-i`. */
  readonly inputOptions: readonly string[]
}

export interface RenderFacts {
  readonly durationMs: number
  readonly channels: number
  readonly peaks: Peaks
}

export interface Rendition {
  /**
   * MP3 at a constant bit rate, so a byte offset is a time. Throws `AudioError('undecodable')` where the source
   * holds no audio that can be read; what was yielded before must be thrown away.
   */
  readonly playback: AsyncIterable<Uint8Array>
  readonly contentType: 'audio/mpeg'
  /** Call after `playback` ended. */
  facts(): RenderFacts
}

export interface AudioTool {
  /** Memory and time are bounded whatever the source is; nothing touches a disk. */
  render(
    source: AsyncIterable<Uint8Array>,
    format: AudioFormat,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Rendition
}
