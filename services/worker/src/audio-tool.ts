// The audio tool that the configuration names, or null with a warning: without one, recordings are kept all the same.
import { type AudioTool, createAudioTool, probeAudioTool } from '@auricle/audio'
import type { Config, Logger } from '@auricle/runtime'

export async function openAudioTool(
  { ffmpeg }: Pick<Config, 'ffmpeg'>,
  logger: Logger,
): Promise<AudioTool | null> {
  if (ffmpeg.kind === 'none') return null
  const ffmpegPath = ffmpeg.kind === 'path' ? ffmpeg.path : undefined
  const found = await probeAudioTool(ffmpegPath)
  if (found !== null && found.missingEncoders.length === 0) return createAudioTool({ ffmpegPath })
  const wrong = found === null ? 'There is no ffmpeg' : 'This ffmpeg has no MP3 encoder'
  logger.warn(`${wrong}: recordings are kept and played as they were delivered`)
  return null
}
