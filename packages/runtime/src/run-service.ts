// How a process lives: it starts one thing, waits to be told to stop, disposes of it, and lets the event loop empty.
import { once } from 'node:events'
import type { Logger } from './logger.ts'

/** What of `process` is used; `main.ts` hands it over, nothing else touches it. */
export type ProcessHandle = Pick<NodeJS.Process, 'on' | 'off' | 'exit' | 'exitCode'>

export interface RunOptions {
  /** Opens everything and returns what closes it all. Rejects, or stops early, when the signal aborts. */
  readonly start: (options: { readonly signal: AbortSignal }) => Promise<AsyncDisposable>
  readonly process: ProcessHandle
  readonly logger: Logger
  /** How long a stop may take before the process ends anyway, in milliseconds. */
  readonly shutdownGraceMs: number
  /**
   * Default 1000. A further signal within this time of the first belongs to it: at Ctrl-C the terminal signals npm and
   * us, and npm passes the signal on to us again.
   */
  readonly sameSignalMs?: number | undefined
  /** Told of each failure in place of the log; for a person at a terminal. */
  readonly report?: ((message: string, error: unknown) => void) | undefined
}

const stopSignals = ['SIGINT', 'SIGTERM'] as const
/** Shells report a process that ended by a signal as this plus the signal's number. */
const signalExitCode = { SIGINT: 130, SIGTERM: 143 } as const
const failureExitCode = 1
const aliveIntervalMs = 60_000
const defaultSameSignalMs = 1000

/**
 * Runs until SIGINT or SIGTERM, or until something fails that nobody caught; then aborts the signal given to `start`
 * and disposes of what it returned. A second signal, later than the first,
 * ends the process at once. Resolves when everything is closed; the
 * exit code is left on the process: 0 after a signal, 1 after a failure. Errors are logged, never printed: Node's own
 * report of an uncaught error would quote its message.
 */
export async function runService(options: RunOptions): Promise<void> {
  const { start, process: host, logger, shutdownGraceMs, sameSignalMs = defaultSameSignalMs } = options
  const report = options.report ?? ((message, error) => logger.error(message, { error }))
  const controller = new AbortController()
  const { signal } = controller
  using held = new DisposableStack()
  // An event loop with nothing to do would end in the middle of waiting.
  held.adopt(
    setInterval(() => undefined, aliveIntervalMs),
    clearInterval,
  )

  let isLater = false
  const stop = (reason: string) => {
    setTimeout(() => {
      isLater = true
    }, sameSignalMs).unref()
    const lastResort = setTimeout(() => {
      logger.error('The stop took too long: ending the process', { durationMs: shutdownGraceMs })
      host.exit(failureExitCode)
    }, shutdownGraceMs)
    // Where everything closes in time this must not keep the process alive; where something does not, it still fires.
    lastResort.unref()
    controller.abort(new DOMException(reason, 'AbortError'))
  }
  const fail = (message: string, error: unknown) => {
    report(message, error)
    host.exitCode = failureExitCode
    if (!signal.aborted) stop('failed')
  }
  const listen = <Argument>(event: string, listener: (argument: Argument) => void) => {
    host.on(event, listener)
    held.defer(() => host.off(event, listener))
  }

  for (const name of stopSignals) {
    listen(name, () => {
      if (!signal.aborted) {
        logger.info('Stopping', { signal: name })
        stop(name)
      } else if (isLater) {
        host.exit(signalExitCode[name])
      }
    })
  }
  listen('uncaughtException', (error: unknown) => fail('An error that nobody caught', error))
  listen('unhandledRejection', (error: unknown) => fail('A rejection that nobody handled', error))

  let isStarted = false
  try {
    await using _service = await start({ signal })
    isStarted = true
    if (!signal.aborted) await once(signal, 'abort')
  } catch (error) {
    // A start that was told to stop fails in many ways: Ctrl-C also ends the tools it was trying out.
    if (signal.aborted && !isStarted) logger.debug('The start was given up', { error })
    else fail('The service failed', error)
  }
  if (host.exitCode === undefined) logger.info('Stopped')
}
