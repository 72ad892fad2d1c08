// The command line that starts ffmpeg fenced in: no environment, no files, bounded memory and time, low priority.
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { AudioError } from './error.ts'

export interface ProcessLimits {
  /** Address space of one ffmpeg process in bytes. Default 512 MiB. */
  readonly memoryBytes: number
  /** Processor time of one ffmpeg process in seconds. Default 3 600. */
  readonly cpuSeconds: number
}

export interface Launcher {
  /** What to execute, and the arguments that come before ffmpeg's own. */
  readonly command: string
  readonly prefix: readonly string[]
}

export const defaultProcessLimits: ProcessLimits = { memoryBytes: 512 * 1024 * 1024, cpuSeconds: 3600 }

const maxOpenFiles = 64
const niceness = 10

/**
 * `env -i prlimit ... nice ffmpeg`: each replaces itself by the next, so that the child's process id is ffmpeg's and
 * killing it kills ffmpeg. `FFREPORT` and the like, which make ffmpeg write files, do not get through `env -i`, and
 * no file can grow beyond 0 bytes. Where the machine has no `prlimit` or `nice`, those fences are missing.
 *
 * Throws `AudioError('unavailable')` where there is no ffmpeg.
 */
export function findLauncher(ffmpegPath: string, limits: ProcessLimits): Launcher {
  const ffmpeg = findExecutable(ffmpegPath)
  if (ffmpeg === null) throw new AudioError('unavailable', 'ffmpeg is not installed')
  const env = findExecutable('env')
  if (env === null) throw new AudioError('unavailable', 'env, which starts ffmpeg, is not installed')
  const prlimit = findExecutable('prlimit')
  const nice = findExecutable('nice')
  return {
    command: env,
    prefix: [
      '-i',
      'LC_ALL=C',
      ...(prlimit === null
        ? []
        : [
            prlimit,
            `--as=${limits.memoryBytes}`,
            `--cpu=${limits.cpuSeconds}`,
            `--nofile=${maxOpenFiles}`,
            '--fsize=0',
            '--core=0',
          ]),
      ...(nice === null ? [] : [nice, '-n', String(niceness)]),
      ffmpeg,
    ],
  }
}

/** Not the caller's PATH: what is executed does not depend on who started us. */
const usualFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'] as const

/** A path as it is, or a name looked up in the usual folders; null where nothing there can be executed. */
function findExecutable(name: string): string | null {
  const candidates = name.includes('/') ? [name] : usualFolders.map(folder => join(folder, name))
  return candidates.find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    // Folders are executable, too.
    return statSync(path).isFile()
  } catch {
    return false
  }
}
