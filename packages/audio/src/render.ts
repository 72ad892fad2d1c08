// Turns delivered audio into MP3 and its waveform: ffmpeg decodes, we measure, another ffmpeg encodes.
//
//   source -> decoder -> WAV -> count and peaks -> encoder -> MP3
//
// Every arrow is a pipe that waits for the next stage. Two processes, because what is between them has to be seen:
// the number of samples is the only proof that something was decoded.
import type { AudioFormat, RenderFacts, Rendition } from './audio-tool.ts'
import { AudioError } from './error.ts'
import { type FfmpegExit, type FfmpegRun, startFfmpeg } from './ffmpeg.ts'
import type { Launcher } from './launcher.ts'
import { createPeaksMeter, type PeaksMeter } from './peaks-meter.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'
import { readWave, type WaveStream } from './wave-stream.ts'

/**
 * 16 kHz keeps all of wideband telephony. At this rate an MP3 frame is 36 ms, and at these bit rates a whole number
 * of bytes without padding, so that a byte offset is a time.
 */
const sampleRate = 16_000
const samplesPerMs = sampleRate / 1000
const monoBitRate = '32k'
const stereoBitRate = '48k'

export interface RenderLimits {
  /** Longest time in which neither process moves while nobody else is waited for. Default 60 000. */
  readonly idleTimeoutMs: number
  /** Longest audio. A few bytes can claim to be years of silence. Default 24 hours. */
  readonly maxDurationMs: number
}

export interface RenderJob {
  /** Asked for when the rendition is first read. */
  readonly launcher: () => Promise<Launcher>
  readonly source: AsyncIterable<Uint8Array>
  readonly format: AudioFormat
  readonly limits: RenderLimits
  readonly signal: AbortSignal | undefined
}

export function render(job: RenderJob): Rendition {
  let facts: RenderFacts | null = null
  async function* playback() {
    const meter = yield* play(job)
    const peaks = meter.peaks()
    facts = { durationMs: peaks.durationMs, channels: peaks.channels, peaks }
  }
  return {
    playback: playback(),
    contentType: 'audio/mpeg',
    facts() {
      if (facts === null) throw new TypeError('The facts are known only after the playback has ended.')
      return facts
    },
  }
}

/** What ended the work before its time, first come. */
interface Halt {
  readonly cause: unknown
}

async function* play(job: RenderJob): AsyncGenerator<Uint8Array, PeaksMeter, undefined> {
  const { source, format, limits, signal } = job
  signal?.throwIfAborted()
  const launcher = await job.launcher()
  signal?.throwIfAborted()

  const running: FfmpegRun[] = []
  let halt: Halt | null = null
  const stop = (cause: unknown) => {
    halt ??= { cause }
    for (const run of running) run.kill()
  }
  await using processes = new AsyncDisposableStack()
  using watchdog = startWatchdog(limits.idleTimeoutMs, () =>
    stop(new AudioError('unavailable', 'ffmpeg stood still and was stopped')),
  )
  const onAbort = () => stop(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  processes.defer(() => signal?.removeEventListener('abort', onAbort))
  const start = (command: Omit<Parameters<typeof startFfmpeg>[0], 'launcher' | 'onInputError'>) => {
    const run = processes.use(startFfmpeg({ ...command, launcher, onInputError: stop }))
    running.push(run)
    return run
  }
  const throwIfHalted = () => {
    if (halt !== null) throw halt.cause
  }

  const decoder = start({
    inputOptions: format.inputOptions,
    input: watched(source, watchdog),
    outputOptions: decodeOptions,
  })
  const wave = await readWave(touching(decoder.output, watchdog))
  if (wave === null) {
    const exit = await decoder.exited
    throwIfHalted()
    throwUnlessDecoded(exit)
    throw new AudioError('undecodable', 'The file holds no audio samples')
  }
  const meter = createPeaksMeter(sampleRate, wave.channels)
  const encoder = start({
    inputOptions: ['-f', 's16le', '-ar', String(sampleRate), '-ac', String(wave.channels)],
    input: measured(wave, meter, limits, decoder),
    outputOptions: encodeOptions(wave.channels),
  })
  for await (const chunk of touching(encoder.output, watchdog)) {
    throwIfHalted()
    watchdog.pause()
    yield chunk
    watchdog.resume()
  }
  const exit = await encoder.exited
  throwIfHalted()
  if (exit.type !== 'exited' || exit.code !== 0) {
    throw new AudioError('unavailable', `The MP3 encoder failed (${describe(exit)})`)
  }
  return meter
}

/** One channel stays one; two stay apart (a party each); more are mixed down. */
const decodeOptions = [
  ...['-map', '0:a:0'],
  ...['-af', `aformat=sample_fmts=s16:sample_rates=${sampleRate}:channel_layouts=mono|stereo`],
  ...['-c:a', 'pcm_s16le', '-f', 'wav'],
]

function encodeOptions(channels: number): string[] {
  return [
    ...['-c:a', 'libmp3lame', '-b:a', channels === 1 ? monoBitRate : stereoBitRate],
    // Coded apart, so that at this bit rate one party is not heard in the other's channel.
    ...['-joint_stereo', '0'],
    // Neither index nor tags: they would stand before the first frame and move every offset.
    ...['-write_xing', '0', '-id3v2_version', '0', '-write_id3v1', '0'],
    ...['-f', 'mp3'],
  ]
}

/** Counts and measures what passes; throws at the end unless the decoder ended well and something was decoded. */
async function* measured(wave: WaveStream, meter: PeaksMeter, limits: RenderLimits, decoder: FfmpegRun) {
  const maxFrames = limits.maxDurationMs * samplesPerMs
  for await (const samples of wave.samples) {
    meter.add(samples)
    if (meter.frames() > maxFrames)
      throw new AudioError('undecodable', 'The audio is longer than is accepted')
    yield samples
  }
  throwUnlessDecoded(await decoder.exited)
  if (meter.frames() === 0) throw new AudioError('undecodable', 'The file holds no audio samples')
}

/** The shell convention for a command that could not be executed, or was not found. */
const launchFailures = new Set([126, 127])
/** What ffmpeg does to itself over bytes that it cannot take, or has done to it for the time they cost. */
const crashes = new Set<NodeJS.Signals>([
  'SIGSEGV',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGXCPU',
  'SIGSYS',
  'SIGTRAP',
])

function throwUnlessDecoded(exit: FfmpegExit): void {
  if (exit.type === 'exited' && exit.code === 0) return
  const cause = exit.type === 'not-started' ? { cause: exit.cause } : {}
  const isAboutBytes =
    (exit.type === 'exited' && !launchFailures.has(exit.code)) ||
    (exit.type === 'killed' && crashes.has(exit.signal))
  throw isAboutBytes
    ? new AudioError('undecodable', `The audio could not be decoded (${describe(exit)})`)
    : new AudioError('unavailable', `ffmpeg could not run to its end (${describe(exit)})`, cause)
}

function describe(exit: FfmpegExit): string {
  switch (exit.type) {
    case 'exited':
      return `exit code ${exit.code}`
    case 'killed':
      return exit.signal
    case 'not-started':
      return 'not started'
    default:
      return exit satisfies never
  }
}

/** The source, whose slowness is not ffmpeg's. */
async function* watched(source: AsyncIterable<Uint8Array>, watchdog: Watchdog) {
  const pieces = source[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const next = await watchdog.whileWaiting(pieces.next())
      if (next.done === true) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    if (!ended) await pieces.return?.()
  }
}

async function* touching(output: AsyncIterable<Buffer>, watchdog: Watchdog) {
  for await (const chunk of output) {
    watchdog.touch()
    yield chunk
  }
}
