// Failures of the audio tool. `undecodable` is about the bytes, `unavailable` about ffmpeg.

export type AudioErrorCode = 'undecodable' | 'unavailable'

export class AudioError extends Error {
  override readonly name = 'AudioError'
  readonly code: AudioErrorCode
  readonly transient: boolean
  constructor(code: AudioErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.transient = code === 'unavailable'
  }
}
