// One run of the postgres program: started, watched until ready, stopped.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { collectErrors, startProgram } from './child.ts'
import { startFailure } from './cluster.ts'
import type { Place } from './place.ts'
import { readPostmasterFile } from './postmaster-file.ts'

export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Server {
  readonly pid: number
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<ServerExit>
  /** Ends sessions, writes a checkpoint and stops; by harder means where that takes too long. Idempotent. */
  stop(): Promise<void>
}

const pollMs = 10
const fastStopMs = 30_000
const immediateStopMs = 10_000

/** Stops the server when our end of its pipe closes without a word, which is what a SIGKILL of ours does. */
const guardScript = 'read -r word && exit 0; kill -INT "$0" 2>/dev/null; exit 0'

/**
 * Starts postgres and resolves once it takes connections. Recovery after a crash takes as long as it takes; abort ends
 * it. Throws `start_failed` where the process ends before it is ready.
 */
export async function startServer(
  place: Place,
  binaries: Binaries,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Server> {
  signal?.throwIfAborted()
  const child = startProgram({
    file: binaries.postgres,
    arguments: [
      '-D',
      place.dataFolder,
      '-c',
      `config_file=${place.settingsFile}`,
      '-c',
      `hba_file=${place.accessFile}`,
    ],
    account: place.account,
    detached: true,
    stdin: 'ignore',
  })
  const errors = collectErrors(child)
  const exited = watchExit(child)
  const { pid } = child
  if (pid === undefined) throw startFailure('PostgreSQL could not be started', (await exited).reason ?? '')
  const guard = startGuard(pid, place)
  const server: Server = {
    pid,
    exited: exited.finally(() => guard.dismiss()),
    stop: () => stopChild(child, exited),
  }
  try {
    await waitUntilReady(place, pid, child, signal)
  } catch (error) {
    await server.stop()
    throw error
  }
  if (hasEnded(child)) throw startFailure('PostgreSQL ended instead of starting', errors())
  // From here on only its owner keeps our process alive, not the server itself.
  child.unref()
  unrefStream(child.stderr)
  return server
}

async function waitUntilReady(
  place: Place,
  pid: number,
  child: ChildProcess,
  signal: AbortSignal | undefined,
): Promise<void> {
  while (!hasEnded(child)) {
    const file = await readPostmasterFile(place.dataFolder)
    if (file?.pid === pid && file.ready) return
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal })
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function watchExit(child: ChildProcess): Promise<ServerExit & { readonly reason?: string }> {
  try {
    await once(child, 'exit')
    return { code: child.exitCode, signal: child.signalCode }
  } catch (error) {
    // 'error' instead of 'exit': the program could not be run at all.
    return { code: null, signal: null, reason: error instanceof Error ? error.message : String(error) }
  }
}

async function stopChild(child: ChildProcess, exited: Promise<ServerExit>): Promise<void> {
  child.ref()
  for (const [name, waitMs] of [
    ['SIGINT', fastStopMs],
    ['SIGQUIT', immediateStopMs],
  ] as const) {
    if (hasEnded(child)) break
    child.kill(name)
    const patience = new AbortController()
    await Promise.race([exited, sleep(waitMs, undefined, { signal: patience.signal }).catch(() => {})])
    patience.abort()
  }
  if (!hasEnded(child)) child.kill('SIGKILL')
  await exited
}

function startGuard(pid: number, place: Place): { dismiss(): void } {
  const guard = startProgram({
    file: '/bin/sh',
    arguments: ['-c', guardScript, String(pid)],
    account: place.account,
    detached: true,
    stdin: 'pipe',
  })
  const ignore = (): void => {}
  // Without its guard the server merely outlives a killed process of ours until the next start stops it.
  guard.on('error', ignore)
  guard.stdin?.on('error', ignore)
  guard.stderr?.destroy()
  guard.unref()
  unrefStream(guard.stdin)
  return { dismiss: () => guard.stdin?.end('stop\n') }
}

/** Child processes' pipes are sockets, though typed as any stream. */
function unrefStream(stream: unknown): void {
  if (stream instanceof Socket) stream.unref()
}
