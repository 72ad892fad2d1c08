// Makes the waveform of a recording while its samples pass by, in the same memory however long it is.
import type { Peaks } from '@auricle/contract'
import { bytesPerSample } from './wave-stream.ts'

/** At first one pair stands for this long. */
const firstStepMs = 10
const maxPairs = 2048
/** Of 16-bit samples the upper byte is kept. */
const shift = 8

const lowest = -128
const highest = 127

export interface PeaksMeter {
  /** Whole frames of 16-bit little-endian samples, channels interleaved. */
  add(samples: Buffer): void
  /** Samples of one channel so far. */
  frames(): number
  peaks(): Peaks
}

/** `sampleRate` in hertz, a multiple of 1 000. */
export function createPeaksMeter(sampleRate: number, channels: number): PeaksMeter {
  const samplesPerMs = sampleRate / 1000
  let stepFrames = firstStepMs * samplesPerMs
  let frames = 0
  let pairs = 0
  let framesInPair = 0
  const data = Array.from({ length: channels }, () => new Int8Array(maxPairs * 2))
  const low = new Int8Array(channels).fill(highest)
  const high = new Int8Array(channels).fill(lowest)

  const closePair = () => {
    for (const [channel, values] of data.entries()) {
      values[pairs * 2] = low[channel] ?? 0
      values[pairs * 2 + 1] = high[channel] ?? 0
    }
    low.fill(highest)
    high.fill(lowest)
    framesInPair = 0
    pairs += 1
    if (pairs === maxPairs) mergePairs()
  }
  /** Two neighbours become one that stands for twice the time. */
  const mergePairs = () => {
    for (const values of data) {
      for (let pair = 0; pair < maxPairs; pair += 2) {
        const [lowA = 0, highA = 0, lowB = 0, highB = 0] = values.subarray(pair * 2, pair * 2 + 4)
        values[pair] = Math.min(lowA, lowB)
        values[pair + 1] = Math.max(highA, highB)
      }
    }
    pairs = maxPairs / 2
    stepFrames *= 2
  }

  return {
    add(samples) {
      const view = new DataView(samples.buffer, samples.byteOffset, samples.byteLength)
      const frameBytes = channels * bytesPerSample
      for (let offset = 0; offset + frameBytes <= samples.length; ) {
        // As many frames as the open pair still takes, channel by channel.
        const wanted = (stepFrames - framesInPair) * frameBytes
        const end = Math.min(offset + wanted, samples.length - (samples.length % frameBytes))
        for (let channel = 0; channel < channels; channel += 1) {
          let lowSample = low[channel] ?? highest
          let highSample = high[channel] ?? lowest
          for (let at = offset + channel * bytesPerSample; at < end; at += frameBytes) {
            const sample = view.getInt16(at, true) >> shift
            if (sample < lowSample) lowSample = sample
            if (sample > highSample) highSample = sample
          }
          low[channel] = lowSample
          high[channel] = highSample
        }
        const taken = (end - offset) / frameBytes
        offset = end
        frames += taken
        framesInPair += taken
        if (framesInPair === stepFrames) closePair()
      }
    },
    frames: () => frames,
    peaks() {
      const open = framesInPair > 0
      return {
        version: 1,
        channels,
        durationMs: Math.round(frames / samplesPerMs),
        stepUs: (stepFrames / samplesPerMs) * 1000,
        data: data.map((values, channel) => [
          ...values.subarray(0, pairs * 2),
          ...(open ? [low[channel] ?? 0, high[channel] ?? 0] : []),
        ]),
      }
    },
  }
}
