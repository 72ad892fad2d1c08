// One service as a process of its own: started, started again when it dies, killed on purpose, stopped by its pid.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'

const restartPauseMs = 200
const startMostMs = 120_000
const stopMostMs = 40_000
const pollMs = 20

export interface ServiceOptions {
  readonly name: string
  readonly main: string
  readonly nodeOptions?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
  /** What the service logs once it can work. */
  readonly readyMessage: string
}

export interface ServiceProcess extends AsyncDisposable {
  readonly name: string
  /** Null while it is being started again. */
  readonly pid: number | null
  /** Every session it ever led, this one and those of its processes that are gone. */
  readonly sessions: ReadonlySet<number>
  /** How often it could work, and ended although nobody here killed it. */
  readonly falls: number
  /** How often it ended before it could work. */
  readonly failedStarts: number
  /** Resolves when the process of the moment has said that it can work. */
  ready(): Promise<void>
  /** SIGKILL; resolves when it is gone. It is started again by itself. */
  kill(): Promise<void>
  /** SIGTERM, and SIGKILL where that does not end it; not started again. */
  stop(): Promise<void>
}

export function startService(options: ServiceOptions): ServiceProcess {
  const { name, main, nodeOptions = [], env, cwd, logFile, readyMessage } = options
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 })
  const sessions = new Set<number>()
  let child: ChildProcess | null = null
  let isReady = false
  let isStopping = false
  let isKilled = false
  let falls = 0
  let failedStarts = 0

  const run = async () => {
    while (!isStopping) {
      isReady = false
      isKilled = false
      const started = spawn(process.execPath, [...nodeOptions, main], {
        env,
        cwd,
        // It leads a session, by which its children can be told from others when it is gone.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      if (started.pid !== undefined) sessions.add(started.pid)
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (piece: Buffer) => {
          log.write(piece)
          isReady ||= piece.includes(`"msg":"${readyMessage}"`)
        })
      }
      await once(started, 'close')
      child = null
      if (isStopping) break
      if (!isKilled && isReady) falls++
      if (!isKilled && !isReady) failedStarts++
      await delay(restartPauseMs)
    }
  }
  const running = run()

  async function stop(): Promise<void> {
    isStopping = true
    const stopping = child
    if (stopping !== null && stopping.exitCode === null) {
      stopping.kill('SIGTERM')
      const force = setTimeout(() => stopping.kill('SIGKILL'), stopMostMs)
      await running
      clearTimeout(force)
    }
    await running
    if (!log.writableEnded) log.end()
    await finished(log)
  }

  return {
    name,
    get pid() {
      return child?.pid ?? null
    },
    sessions,
    get falls() {
      return falls
    },
    get failedStarts() {
      return failedStarts
    },
    async ready() {
      const until = performance.now() + startMostMs
      while (!isReady) {
        if (performance.now() > until) throw new Error(`${name} does not start; its log is ${logFile}`)
        await delay(pollMs)
      }
    },
    async kill() {
      const killed = child
      if (killed === null) return
      isKilled = true
      const closed = once(killed, 'exit')
      killed.kill('SIGKILL')
      if (killed.exitCode === null && killed.signalCode === null) await closed
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
