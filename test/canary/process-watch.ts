// Looks at command lines and environments of every process of a run, again and again while it runs (proc(5)).
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { findProcesses } from '../harness/processes.ts'
import type { ServiceProcess } from '../harness/service-process.ts'
import type { Scanner } from './scan.ts'

const everyMs = 40

export interface ProcessWatch extends AsyncDisposable {
  /** How many different processes were seen, ffmpeg among them. */
  readonly seen: number
  readonly ffmpegSeen: number
}

export function watchProcesses(
  services: readonly Pick<ServiceProcess, 'sessions'>[],
  scanner: Pick<Scanner, 'scanBytes'>,
): ProcessWatch {
  const seen = new Set<number>()
  const ffmpegs = new Set<number>()
  let stopped = false
  const watching = (async () => {
    while (!stopped) {
      const sessions = new Set(services.flatMap(service => [...service.sessions]))
      for (const { pid, command } of await findProcesses(sessions)) {
        const isFfmpeg = command.includes('ffmpeg')
        // A launcher becomes another program under the same number, so what changed is looked at again.
        if (seen.has(pid) && isFfmpeg === ffmpegs.has(pid)) continue
        seen.add(pid)
        if (isFfmpeg) ffmpegs.add(pid)
        const environment = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0))
        scanner.scanBytes(Buffer.from(command), `the command line of process ${pid}`)
        scanner.scanBytes(environment, `the environment of process ${pid}`)
      }
      await delay(everyMs)
    }
  })()
  return {
    get seen() {
      return seen.size
    },
    get ffmpegSeen() {
      return ffmpegs.size
    },
    async [Symbol.asyncDispose]() {
      stopped = true
      await watching
    },
  }
}
