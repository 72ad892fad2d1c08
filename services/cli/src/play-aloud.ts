// Plays audio through the machine's loudspeaker: piped to a player, so that nothing clear touches a disk.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UsageError } from './error.ts'

const players = [
  {
    command: 'ffplay',
    options: ['-hide_banner', '-loglevel', 'error', '-nodisp', '-autoexit', '-i', 'pipe:0'],
  },
  { command: 'mpv', options: ['--no-video', '--really-quiet', '-'] },
] as const

export async function playAloud(
  audio: Readable,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  for (const { command, options } of players) {
    const player = spawn(command, options, { stdio: ['pipe', 'ignore', 'inherit'], signal })
    const started = await Promise.race([
      once(player, 'spawn').then(() => true),
      once(player, 'error').then(() => false),
    ]).catch(() => false)
    if (!started) continue
    const ended = once(player, 'close')
    await pipeline(audio, player.stdin, { signal }).catch((error: unknown) => {
      // Somebody who has heard enough closes the player.
      if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
    })
    await ended
    return
  }
  audio.destroy()
  throw new UsageError('No player found: install ffmpeg (ffplay) or mpv, or write to a file with --output')
}
