// Finds out whether the ffmpeg of this machine can do the work, without doing any.
import { execFile } from 'node:child_process'
import { AudioError } from './error.ts'
import { defaultProcessLimits, findLauncher, type Launcher } from './launcher.ts'

export interface AudioToolFacts {
  readonly path: string
  /** As ffmpeg names it: `5.1.9-0+deb12u1`. */
  readonly version: string
  /** Encoders it was built without but that are needed; empty where all is well. */
  readonly missingEncoders: readonly string[]
}

const neededEncoders = ['libmp3lame']
const probeTimeoutMs = 10_000
const maxOutputBytes = 1024 * 1024

/**
 * Null where there is no ffmpeg. Throws `AudioError('unavailable')` where there is one that does not start, under
 * the limits that it is to work under.
 */
export async function probeAudioTool(path = 'ffmpeg'): Promise<AudioToolFacts | null> {
  let launcher: Launcher
  try {
    launcher = findLauncher(path, defaultProcessLimits)
  } catch (error) {
    if (error instanceof AudioError) return null
    throw error
  }
  const version = /^ffmpeg version (\S+)/.exec(await run(launcher, ['-version']))?.[1]
  const encoders = await run(launcher, ['-hide_banner', '-encoders'])
  return {
    path: launcher.prefix.at(-1) ?? path,
    version: version ?? 'unknown',
    missingEncoders: neededEncoders.filter(name => !new RegExp(`^ A\\S+ ${name} `, 'm').test(encoders)),
  }
}

/** Throws `AudioError('unavailable')` unless ffmpeg starts under its limits. */
export async function checkLauncher(launcher: Launcher): Promise<void> {
  await run(launcher, ['-version'])
}

function run({ command, prefix }: Launcher, options: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(
    command,
    [...prefix, ...options],
    { timeout: probeTimeoutMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes, cwd: '/' },
    (cause, stdout) => {
      if (cause === null) resolve(stdout)
      else reject(new AudioError('unavailable', 'ffmpeg is there but does not start', { cause }))
    },
  )
  return promise
}
