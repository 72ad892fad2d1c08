import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Peaks } from '@auricle/contract'
import fc from 'fast-check'
import { createPeaksMeter } from './peaks-meter.ts'

const rate = 16_000
const pcm = (values: readonly number[]) => Buffer.from(Int16Array.from(values).buffer)

describe('createPeaksMeter', () => {
  it('keeps the lowest and highest of each 10 ms, a channel at a time', () => {
    const meter = createPeaksMeter(rate, 2)
    const frames = Array.from({ length: 240 }, (_, index) => [
      index < 160 ? 256 * 5 : 256 * 9,
      index === 3 ? -32_768 : 0,
    ])
    meter.add(pcm(frames.flat()))
    assert.deepEqual(meter.peaks(), {
      version: 1,
      channels: 2,
      durationMs: 15,
      stepUs: 10_000,
      data: [
        [5, 5, 9, 9],
        [-128, 0, 0, 0],
      ],
    })
  })

  it('comes to the same however the samples are cut, as found by looking at all of them', () => {
    const sample = fc.integer({ min: -32_768, max: 32_767 })
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 2000 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        (values, sizes) => {
          const meter = createPeaksMeter(rate, 1)
          let offset = 0
          for (let turn = 0; offset < values.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1
            meter.add(pcm(values.slice(offset, offset + size)))
            offset += size
          }
          const expected: number[] = []
          for (let at = 0; at < values.length; at += 160) {
            const step = values.slice(at, at + 160)
            expected.push(Math.min(...step) >> 8, Math.max(...step) >> 8)
          }
          assert.deepEqual(meter.peaks().data, [expected])
          assert.equal(meter.frames(), values.length)
        },
      ),
    )
  })

  it('stays within its bounds for hours, and still finds the one loud moment', () => {
    const meter = createPeaksMeter(rate, 1)
    const second = pcm(Array.from({ length: rate }, () => 0))
    const loud = pcm([32_767, ...Array.from({ length: rate - 1 }, () => 0)])
    const hours = 3
    for (let index = 0; index < hours * 3600; index += 1) meter.add(index === 5000 ? loud : second)
    const peaks = Peaks.parse(meter.peaks())
    const [values = []] = peaks.data
    assert.equal(peaks.durationMs, hours * 3_600_000)
    assert.ok(values.length <= 4096 && values.length >= 2048)
    assert.equal(Math.ceil((peaks.durationMs * 1000) / peaks.stepUs), values.length / 2)
    const loudest = values.indexOf(127)
    assert.equal((loudest - 1) / 2, Math.floor(5_000_000_000 / peaks.stepUs))
  })

  it('is empty before the first sample', () => {
    assert.deepEqual(createPeaksMeter(rate, 1).peaks().data, [[]])
  })
})
