// The audio tool on the ffmpeg of this machine.
import type { AudioTool } from './audio-tool.ts'
import { defaultProcessLimits, findLauncher, type Launcher, type ProcessLimits } from './launcher.ts'
import { checkLauncher } from './probe.ts'
import { type RenderLimits, render } from './render.ts'

export type AudioLimits = ProcessLimits & RenderLimits

export interface AudioToolOptions {
  /** A path, or a name to look up in `PATH`. Default `ffmpeg`. */
  readonly ffmpegPath?: string | undefined
  readonly limits?: Partial<AudioLimits> | undefined
}

const defaultLimits: AudioLimits = {
  ...defaultProcessLimits,
  idleTimeoutMs: 60_000,
  maxDurationMs: 24 * 60 * 60 * 1000,
}

/** Starts nothing yet. A rendition throws `AudioError('unavailable')` where ffmpeg is missing or does not start. */
export function createAudioTool(options: AudioToolOptions = {}): AudioTool {
  const limits = { ...defaultLimits, ...options.limits }
  const ffmpegPath = options.ffmpegPath ?? 'ffmpeg'
  let checked: Launcher | null = null
  /** Once it has started, a later failure is about the bytes; before, it may be about the limits or the program. */
  const launcher = async () => {
    if (checked !== null) return checked
    const found = findLauncher(ffmpegPath, limits)
    await checkLauncher(found)
    checked = found
    return found
  }
  return {
    render: (source, format, { signal } = {}) => render({ launcher, source, format, limits, signal }),
  }
}
