import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Peaks } from '@auricle/contract'
import type { AudioFormat, Rendition } from './audio-tool.ts'
import { createAudioTool } from './create-audio-tool.ts'
import { AudioError, type AudioErrorCode } from './error.ts'
import { probeAudioTool } from './probe.ts'
import { sniffAudio } from './sniff.ts'

const exec = promisify(execFile)
const samples = new URL('../../../test/samples/', import.meta.url)
const tool = createAudioTool()
const wav: AudioFormat = { codec: 'wav', contentType: 'audio/wav', inputOptions: ['-f', 'wav'] }
const mp3: AudioFormat = { codec: 'mp3', contentType: 'audio/mpeg', inputOptions: ['-f', 'mp3'] }
const sample = (name: string) => readFileSync(new URL(name, samples))
const pathOf = (name: string) => fileURLToPath(new URL(name, samples))
const toleranceMs = 50

async function* pieces(bytes: Uint8Array, size = 8192) {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
}

async function finish(rendition: Rendition) {
  const chunks: Uint8Array[] = []
  for await (const chunk of rendition.playback) chunks.push(chunk)
  return { playback: Buffer.concat(chunks), facts: rendition.facts() }
}

function sniffed(bytes: Uint8Array, fileName: string): AudioFormat {
  return sniffAudio(bytes, { contentType: null, fileName }) ?? assert.fail(`${fileName} is not audio`)
}

const renderBytes = (bytes: Uint8Array, format: AudioFormat, using = tool) =>
  finish(using.render(pieces(bytes), format))

const failsAs = (code: AudioErrorCode) => (error: unknown) => {
  assert.ok(error instanceof AudioError, String(error))
  assert.equal(error.code, code, error.message)
  return true
}

/** Every frame of a CBR stream has the same length; this walks them all. */
function frameCount(playback: Buffer, frameBytes: number): number {
  assert.equal(playback.length % frameBytes, 0)
  for (let offset = 0; offset < playback.length; offset += frameBytes) {
    assert.equal(playback.readUInt16BE(offset) & 0xffe0, 0xffe0, `no frame at ${offset}`)
  }
  return playback.length / frameBytes
}

const frameMs = 36

function childrenOf(pid: number): string[] {
  return readdirSync('/proc')
    .filter(name => /^[0-9]+$/.test(name))
    .map(name => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8')
      } catch {
        // It ended meanwhile.
        return ''
      }
    })
    .filter(stat => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid))
}

describe('render: the samples', () => {
  // The seconds that are in the files; of the MP3, without what its encoder put around them.
  const seconds: Record<string, number> = {
    'voicemail-pcm16.wav': 30.28,
    'voicemail-short.wav': 15.18,
    'voicemail-instructions.wav': 14.64,
    'noisy.wav': 16.18,
    'voicemail-mulaw.wav': 30.28,
    'voicemail-alaw.wav': 30.28,
    'voicemail-wav49.wav': 14.64,
    'voicemail.gsm': 14.64,
    'voicemail.mp3': 30.3,
    'voicemail.ogg': 30.28,
    'call-two-channel.wav': 25,
  }
  for (const [name, expected] of Object.entries(seconds)) {
    it(`renders ${name}`, async () => {
      const format = sniffed(sample(name), name)
      const { playback, facts } = await finish(tool.render(createReadStream(pathOf(name)), format))
      const { durationMs, channels, peaks } = facts
      assert.ok(Math.abs(durationMs - expected * 1000) <= toleranceMs, `${durationMs} ms`)
      assert.equal(channels, name.startsWith('call') ? 2 : 1)

      Peaks.parse(peaks)
      assert.equal(peaks.channels, channels)
      assert.equal(peaks.data.length, channels)
      for (const values of peaks.data) {
        assert.equal(values.length / 2, Math.ceil((durationMs * 1000) / peaks.stepUs))
        assert.ok(Math.max(...values) > 40 && Math.min(...values) < -40, 'flat')
        assert.ok(new Set(values).size > 20)
      }

      // A byte offset is a time: the length is the duration, give or take the encoder's delay and last frame.
      const frames = frameCount(playback, channels === 1 ? 144 : 216)
      assert.ok(Math.abs(frames * frameMs - durationMs) < 150)
    })
  }

  it('keeps the parties of a call in their own channels', async () => {
    const { facts, playback } = await renderBytes(sample('call-two-channel.wav'), wav)
    const [left = [], right = []] = facts.peaks.data
    assert.notDeepEqual(left, right)
    // The rendition, decoded again, shows the same waveform.
    const again = await renderBytes(playback, mp3)
    assert.equal(again.facts.channels, 2)
  })

  it('renders the same however the bytes arrive', async () => {
    const bytes = sample('voicemail-wav49.wav')
    const whole = await renderBytes(bytes, wav)
    const cut = await finish(tool.render(pieces(bytes, 61), wav))
    assert.ok(whole.playback.equals(cut.playback))
    assert.deepEqual(whole.facts, cut.facts)
  })
})

describe('render: other formats', () => {
  const made: [string, string[], number?][] = [
    ['a.flac', ['-f', 'flac']],
    ['a.webm', ['-c:a', 'libopus', '-f', 'webm']],
    ['a.mka', ['-c:a', 'libopus', '-f', 'matroska']],
    ['a.aac', ['-c:a', 'aac', '-f', 'adts']],
    ['a.au', ['-f', 'au']],
    ['a.aiff', ['-f', 'aiff']],
    ['a.caf', ['-f', 'caf']],
    ['a.ogg', ['-c:a', 'libvorbis', '-f', 'ogg']],
    ['a.m4a', ['-c:a', 'aac', '-movflags', '+faststart', '-f', 'ipod']],
    ['s24.wav', ['-c:a', 'pcm_s24le', '-f', 'wav']],
    ['f32.wav', ['-c:a', 'pcm_f32le', '-f', 'wav']],
    ['u8.wav', ['-c:a', 'pcm_u8', '-f', 'wav']],
    ['hd.wav', ['-ar', '48000', '-ac', '2', '-f', 'wav'], 2],
    ['surround.wav', ['-ac', '6', '-f', 'wav'], 2],
    ['three.wav', ['-ac', '3', '-f', 'wav'], 2],
    ['a.rf64', ['-rf64', 'always', '-f', 'wav']],
    ['a.ulaw', ['-f', 'mulaw']],
    ['a.alaw', ['-f', 'alaw']],
    ['a.sln', ['-f', 's16le']],
    ['a.sln16', ['-ar', '16000', '-f', 's16le']],
    ['a.g722', ['-ar', '16000', '-c:a', 'g722', '-f', 'g722']],
    ['a.mp3', ['-c:a', 'libmp3lame', '-metadata', 'title=someone', '-f', 'mp3']],
  ]
  it('renders what encoders of other kinds made', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-'))
    for (const [name, options, channels = 1] of made) {
      const file = join(folder.path, name)
      await exec('ffmpeg', ['-v', 'error', '-t', '2', '-i', pathOf('voicemail-pcm16.wav'), ...options, file])
      const bytes = await readFile(file)
      const { facts } = await renderBytes(bytes, sniffed(bytes, name))
      // ADTS cannot say how much of its start and end is padding: up to two frames of 128 ms.
      const slackMs = name === 'a.aac' ? 256 : 80
      assert.ok(Math.abs(facts.durationMs - 2000) <= slackMs, `${name}: ${facts.durationMs} ms`)
      assert.equal(facts.channels, channels, name)
    }
  })

  it('carries no tags over', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-'))
    const file = join(folder.path, 'a.mp3')
    const tags = ['-metadata', 'title=SECRET-NAME', '-metadata', 'comment=SECRET-NOTE']
    await exec('ffmpeg', ['-v', 'error', '-t', '1', '-i', pathOf('voicemail-pcm16.wav'), ...tags, file])
    const bytes = await readFile(file)
    assert.ok(bytes.includes('SECRET'))
    const { playback } = await renderBytes(bytes, mp3)
    assert.ok(!playback.includes('SECRET') && !playback.includes('ID3') && !playback.includes('Xing'))
  })

  it('recognises an MP4 file whose index comes last as undecodable', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle-'))
    const file = join(folder.path, 'a.m4a')
    await exec('ffmpeg', [
      '-v',
      'error',
      '-i',
      pathOf('voicemail-pcm16.wav'),
      '-c:a',
      'aac',
      '-f',
      'ipod',
      file,
    ])
    const bytes = await readFile(file)
    await assert.rejects(renderBytes(bytes, sniffed(bytes, 'a.m4a')), failsAs('undecodable'))
  })
})

describe('render: hostile and broken input', () => {
  const header = (dataBytes: number) => {
    const head = Buffer.from(sample('voicemail-pcm16.wav').subarray(0, 44))
    head.writeUInt32LE(dataBytes, 40)
    head.writeUInt32LE(Math.min(dataBytes + 36, 0xffffffff), 4)
    return head
  }
  const cases: [string, AudioFormat, Buffer][] = [
    ['nothing', wav, Buffer.alloc(0)],
    ['a header without samples', wav, header(0)],
    ['half a header', wav, header(100).subarray(0, 30)],
    [
      'random bytes behind a RIFF header',
      wav,
      Buffer.concat([Buffer.from('RIFF\xff\xff\xff\xffWAVE', 'latin1'), randomBytes(100_000)]),
    ],
    [
      'random bytes as MP4',
      { ...wav, inputOptions: ['-f', 'mov'] },
      Buffer.concat([Buffer.from('\0\0\0\x20ftypM4A '), randomBytes(50_000)]),
    ],
    ['a page', wav, Buffer.from('<!DOCTYPE html><html><body>Not found</body></html>')],
    ['a page as MP3', mp3, Buffer.from('<!DOCTYPE html><html><body>Not found</body></html>'.repeat(50))],
    [
      'a playlist',
      mp3,
      Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'),
    ],
    ['a list of files', wav, Buffer.from(`ffconcat version 1.0\nfile ${pathOf('voicemail.mp3')}\n`)],
    ['an SDP', wav, Buffer.from('v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n')],
  ]
  for (const [what, format, bytes] of cases) {
    it(`finds ${what} undecodable`, () => assert.rejects(renderBytes(bytes, format), failsAs('undecodable')))
  }

  it('decodes of a truncated file what is there', async () => {
    const bytes = sample('voicemail-pcm16.wav').subarray(0, 44 + 16_000 * 3 + 1)
    assert.equal((await renderBytes(bytes, wav)).facts.durationMs, 3000)
    const half = sample('voicemail.mp3').subarray(0, 60_000)
    const { durationMs } = (await renderBytes(half, mp3)).facts
    assert.ok(durationMs > 14_000 && durationMs < 15_500)
  })

  it('believes the samples, not the header', async () => {
    const tenHours = 10 * 3600 * 16_000
    const second = Buffer.alloc(16_000, 3)
    for (const claimed of [tenHours, 0xffffffff]) {
      const { facts } = await renderBytes(Buffer.concat([header(claimed), second]), wav)
      assert.equal(facts.durationMs, 1000)
    }
  })

  it('stops at audio that is longer than is accepted', async () => {
    const strict = createAudioTool({ limits: { maxDurationMs: 10_000 } })
    await assert.rejects(renderBytes(sample('voicemail-pcm16.wav'), wav, strict), failsAs('undecodable'))
  })

  it('never tells what ffmpeg said', async () => {
    const telling = Buffer.concat([
      Buffer.from('ID3\x03\0\0\0\0\0\x20TIT2\0\0\0\x10\0\0\0SECRET-NAME-1234', 'latin1'),
      Buffer.alloc(3000, 1),
    ])
    await assert.rejects(renderBytes(telling, mp3), error => {
      failsAs('undecodable')(error)
      assert.ok(error instanceof Error)
      assert.ok(!`${error.message}${error.stack}${error.cause}`.includes('SECRET'))
      return true
    })
  })
})

describe('render: whoever stops', () => {
  async function* endless() {
    yield sample('voicemail-pcm16.wav').subarray(0, 40)
    yield Buffer.from('ffffffff', 'hex')
    for (;;) {
      await sleep(1)
      yield Buffer.alloc(64 * 1024, 5)
    }
  }

  it('passes on an error of the source as it is', async () => {
    const cause = new RangeError('not authentic')
    for (const goodBytes of [0, 10, 44, 200_000]) {
      async function* broken() {
        yield* pieces(sample('voicemail-pcm16.wav').subarray(0, goodBytes))
        throw cause
      }
      await assert.rejects(finish(tool.render(broken(), wav)), error => error === cause, String(goodBytes))
    }
  })

  it('ends with the reason of the signal', async () => {
    const reason = new RangeError('enough')
    const aborted = AbortSignal.abort(reason)
    await assert.rejects(finish(tool.render(endless(), wav, { signal: aborted })), error => error === reason)
    for (const afterMs of [5, 100, 400]) {
      const signal = new AbortController()
      setTimeout(() => signal.abort(reason), afterMs)
      await assert.rejects(
        finish(tool.render(endless(), wav, { signal: signal.signal })),
        error => error === reason,
      )
    }
    assert.deepEqual(childrenOf(process.pid), [])
  })

  it('kills ffmpeg and lets go of the source when it is left', async () => {
    let isReleased = false
    async function* source() {
      try {
        yield* endless()
      } finally {
        isReleased = true
      }
    }
    const rendition = tool.render(source(), wav)
    for await (const _ of rendition.playback) break
    assert.deepEqual(childrenOf(process.pid), [])
    while (!isReleased) await sleep(5)
    assert.throws(() => rendition.facts(), TypeError)
  })

  it('reads no further ahead than the pipes are long while nobody takes the playback', async () => {
    let pulledBytes = 0
    async function* counted() {
      for await (const chunk of endless()) {
        pulledBytes += chunk.length
        yield chunk
      }
    }
    const { playback } = tool.render(counted(), wav)
    const iterator = playback[Symbol.asyncIterator]()
    await iterator.next()
    let beforeBytes = -1
    while (beforeBytes !== pulledBytes) {
      beforeBytes = pulledBytes
      await sleep(500)
    }
    assert.ok(pulledBytes < 60_000_000, `${pulledBytes} bytes`)
    await iterator.return?.()
  })

  it('starts nothing before the playback is read', () => {
    tool.render(endless(), wav)
    assert.deepEqual(childrenOf(process.pid), [])
  })
})

describe('render: an ffmpeg that misbehaves', () => {
  async function withProgram(script: string, use: (path: string) => Promise<void>) {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'auricle ffmpeg-'))
    const path = join(folder.path, 'ffmpeg')
    await writeFile(path, `#!/bin/sh\n[ "$1" = -version ] && exit 0\n${script}\n`)
    await chmod(path, 0o755)
    await use(path)
  }
  const renderWith = (ffmpegPath: string, limits = {}) =>
    renderBytes(sample('voicemail-short.wav'), wav, createAudioTool({ ffmpegPath, limits }))

  it('is unavailable where it is missing, does not start, or is killed from outside', async () => {
    await assert.rejects(renderWith('/nowhere/ffmpeg'), failsAs('unavailable'))
    await withProgram('exit 127', path => assert.rejects(renderWith(path), failsAs('unavailable')))
    await withProgram('kill -KILL $$', path => assert.rejects(renderWith(path), failsAs('unavailable')))
    if (existsSync('/usr/bin/prlimit')) {
      await assert.rejects(renderWith('ffmpeg', { memoryBytes: 1_000_000 }), failsAs('unavailable'))
    }
  })

  it('takes a crash for the fault of the bytes', async () => {
    await withProgram('kill -SEGV $$', path => assert.rejects(renderWith(path), failsAs('undecodable')))
    await withProgram('exit 1', path => assert.rejects(renderWith(path), failsAs('undecodable')))
    await withProgram('exit 0', path => assert.rejects(renderWith(path), failsAs('undecodable')))
    await withProgram('cat > /dev/null; printf RIFFxxxxWAVE', path =>
      assert.rejects(renderWith(path), failsAs('undecodable')),
    )
  })

  it('is stopped when it stands still', async () => {
    await withProgram('exec sleep 1000', async path => {
      await assert.rejects(renderWith(path, { idleTimeoutMs: 300 }), failsAs('unavailable'))
    })
    assert.deepEqual(childrenOf(process.pid), [])
  })

  it('is not blamed for a slow source', async () => {
    const patient = createAudioTool({ limits: { idleTimeoutMs: 1500 } })
    async function* slow() {
      const bytes = sample('voicemail-short.wav')
      yield bytes.subarray(0, 100_000)
      await sleep(2500)
      yield bytes.subarray(100_000)
    }
    assert.equal((await finish(patient.render(slow(), wav))).facts.durationMs, 15_176)
  })
})

describe('render: what it leaves behind', () => {
  it('is nothing: no child, no handle', { skip: !existsSync('/proc/self/fd') && 'no /proc' }, async () => {
    const short = sample('voicemail-wav49.wav').subarray(0, 5000)
    const cause = new RangeError('broken')
    async function* broken() {
      yield short
      throw cause
    }
    const once = async (turn: number) => {
      const outcomes = [
        () => renderBytes(short, wav),
        () => renderBytes(Buffer.from('<html>'), wav),
        () => finish(tool.render(broken(), wav)),
        () => finish(tool.render(pieces(short), wav, { signal: AbortSignal.timeout(turn * 3) })),
        async () => {
          for await (const _ of tool.render(pieces(short), wav).playback) break
        },
      ]
      await outcomes[turn % outcomes.length]?.().catch(() => null)
    }
    for (let turn = 0; turn < 5; turn += 1) await once(turn)
    await sleep(50)
    const before = readdirSync('/proc/self/fd').length
    for (let turn = 0; turn < 50; turn += 2) await Promise.all([once(turn), once(turn + 1)])
    await sleep(50)
    assert.deepEqual(childrenOf(process.pid), [])
    assert.ok(readdirSync('/proc/self/fd').length <= before)
  })
})

describe('probeAudioTool', () => {
  it('says what is there', async () => {
    const facts = await probeAudioTool()
    assert.ok(facts !== null)
    assert.match(facts.version, /^[0-9nN]/)
    assert.deepEqual(facts.missingEncoders, [])
    assert.equal(await probeAudioTool('/nowhere/ffmpeg'), null)
    await assert.rejects(probeAudioTool('/bin/false'), failsAs('unavailable'))
  })
})
