// Runs one ffmpeg process through its pipes. The only file that knows fluent-ffmpeg.
//
// fluent-ffmpeg builds the command line, spawns and pipes. How the process ended is taken from the process itself:
// its own error messages quote stderr, which holds the names in a file's tags.
import { ChildProcess } from 'node:child_process'
import { PassThrough, Readable } from 'node:stream'
import createCommand from 'fluent-ffmpeg'
import type { Launcher } from './launcher.ts'

export type FfmpegExit =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly type: 'not-started'; readonly cause: unknown }

export interface FfmpegRun extends AsyncDisposable {
  /** What ffmpeg writes. Its end says nothing: ask `exited` how ffmpeg ended. */
  readonly output: Readable
  /** Resolves when the process is gone and its pipes are closed; never rejects. */
  readonly exited: Promise<FfmpegExit>
  /** SIGKILL, as ffmpeg that waits for input does not act on anything less. */
  kill(): void
}

export interface FfmpegCommand {
  readonly launcher: Launcher
  readonly inputOptions: readonly string[]
  /** What ffmpeg reads. Its chunks must not be used again by their source. An error of it kills ffmpeg. */
  readonly input: AsyncIterable<Uint8Array>
  /** Called once with what `input` threw. */
  readonly onInputError: (error: unknown) => void
  readonly outputOptions: readonly string[]
}

const globalOptions = ['-hide_banner', '-nostdin', '-loglevel', 'quiet', '-filter_threads', '1']
/** A demuxer can then open nothing but what it was given, whatever a playlist or container refers to. */
const sealedInput = ['-protocol_whitelist', 'pipe', '-threads', '1']
const plainOutput = ['-vn', '-sn', '-dn', '-map_metadata', '-1', '-map_chapters', '-1', '-threads', '1']

/** Disposing of it kills the process if it still runs and waits until it is gone. */
export function startFfmpeg(options: FfmpegCommand): FfmpegRun {
  const { launcher, onInputError } = options
  const input = Readable.from(options.input, { objectMode: false })
  // On the `close` of its output fluent-ffmpeg sends SIGTERM 20 ms later, which a busy machine would see as failure.
  const output = new PassThrough({ emitClose: false })
  const { promise: exited, resolve: setExited } = Promise.withResolvers<FfmpegExit>()
  let child: ChildProcess | null = null
  let isKilled = false
  const kill = () => {
    isKilled = true
    child?.kill('SIGKILL')
  }

  const command = createCommand({ source: input, cwd: '/', stdoutLines: 1 })
    .inputOptions(...launcher.prefix, ...globalOptions, ...sealedInput, ...options.inputOptions)
    .outputOptions(...plainOutput, ...options.outputOptions)
  command.setFfmpegPath(launcher.command)
  Object.assign(command, assumedCapabilities([...options.inputOptions, ...options.outputOptions]))

  command.on('start', () => {
    const process: unknown = Reflect.get(command, 'ffmpegProc')
    if (!(process instanceof ChildProcess)) throw new TypeError('fluent-ffmpeg keeps its process elsewhere')
    child = process
    child.once('error', cause => setExited({ type: 'not-started', cause }))
    child.once('close', (code, signal) => {
      input.destroy()
      setExited(signal === null ? { type: 'exited', code: code ?? 0 } : { type: 'killed', signal })
    })
    if (isKilled) kill()
  })
  // After 'start' the process's own events say it better; before it, this is all there is.
  command.on('error', cause => {
    if (child === null) {
      input.destroy()
      output.end()
      setExited({ type: 'not-started', cause })
    }
  })
  input.once('error', error => {
    onInputError(error)
    kill()
  })
  command.pipe(output)

  return {
    output,
    exited,
    kill,
    async [Symbol.asyncDispose]() {
      kill()
      input.destroy()
      output.destroy()
      // What it had written and nobody will read would keep its pipes open, and `close` would never come.
      for (const pipe of child?.stdio ?? []) pipe?.destroy()
      await exited
    },
  }
}

/**
 * What fluent-ffmpeg is told when it asks what ffmpeg can do: all that is asked of it here. It would otherwise start
 * ffmpeg twice more to list it, without the fences. Whether ffmpeg really can, it will say itself.
 */
function assumedCapabilities(options: readonly string[]) {
  const names = options.filter((_, index) => options[index - 1] === '-f')
  const formats = Object.fromEntries(names.map(name => [name, { canDemux: true, canMux: true }]))
  return {
    availableFormats: (callback: (error: null, formats: object) => void) => callback(null, formats),
    availableEncoders: (callback: (error: null, encoders: object) => void) => callback(null, {}),
  }
}
