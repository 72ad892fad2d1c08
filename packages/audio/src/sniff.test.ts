import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sniffAudio, sniffBytes } from './sniff.ts'

const samples = new URL('../../../test/samples/', import.meta.url)
const none = { contentType: null, fileName: null }
const sample = (name: string) => readFileSync(new URL(name, samples))
const codecOf = (
  head: Uint8Array,
  hints: Partial<typeof none> | { contentType?: string; fileName?: string } = {},
) => sniffAudio(head, { ...none, ...hints })?.codec ?? null
const ascii = (text: string) => Buffer.from(text, 'latin1')
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** A WAVE header; `before` stands between `WAVE` and the format chunk. */
function wave(
  tag: number,
  bits: number,
  { magic = 'RIFF', before = Buffer.alloc(0), subFormat = 0 } = {},
): Buffer {
  const fmt = Buffer.alloc(40)
  fmt.writeUInt16LE(tag, 0)
  fmt.writeUInt16LE(1, 2)
  fmt.writeUInt32LE(8000, 4)
  fmt.writeUInt16LE(bits, 14)
  fmt.writeUInt16LE(subFormat, 24)
  return Buffer.concat([
    ascii(magic),
    hex('ffffffff'),
    ascii('WAVE'),
    before,
    ascii('fmt '),
    hex('28000000'),
    fmt,
  ])
}

const oggPage = (packet: string) =>
  Buffer.concat([ascii('OggS'), Buffer.alloc(22), Buffer.from([1, 0]), ascii(packet)])

describe('sniffAudio on files with a signature', () => {
  it('knows every sample, whatever it is called', () => {
    const expected: Record<string, string> = {
      'voicemail-pcm16.wav': 'wav/pcm_s16le',
      'call-two-channel.wav': 'wav/pcm_s16le',
      'voicemail-mulaw.wav': 'wav/pcm_mulaw',
      'voicemail-alaw.wav': 'wav/pcm_alaw',
      'voicemail-wav49.wav': 'wav/gsm_ms',
      'voicemail.mp3': 'mp3',
      'voicemail.ogg': 'ogg/opus',
    }
    for (const [name, codec] of Object.entries(expected)) {
      assert.equal(codecOf(sample(name)), codec, name)
      assert.equal(codecOf(sample(name), { contentType: 'text/html', fileName: 'x.gsm' }), codec, name)
    }
  })

  it('knows the forms of WAVE', () => {
    assert.equal(codecOf(wave(1, 8)), 'wav/pcm_u8')
    assert.equal(codecOf(wave(1, 24)), 'wav/pcm_s24le')
    assert.equal(codecOf(wave(1, 32)), 'wav/pcm_s32le')
    assert.equal(codecOf(wave(3, 32)), 'wav/pcm_f32le')
    assert.equal(codecOf(wave(0xfffe, 16, { subFormat: 1 })), 'wav/pcm_s16le')
    assert.equal(codecOf(wave(0xfffe, 8, { subFormat: 7 })), 'wav/pcm_mulaw')
    assert.equal(codecOf(wave(0x55, 0)), 'wav/mp3')
    assert.equal(codecOf(wave(0x1234, 0)), 'wav/0x1234')
    assert.equal(codecOf(wave(1, 16, { magic: 'RF64' })), 'wav/pcm_s16le')
    const junk = Buffer.concat([ascii('JUNK'), hex('03000000'), Buffer.alloc(4)])
    assert.equal(codecOf(wave(1, 16, { before: junk })), 'wav/pcm_s16le')
    assert.equal(codecOf(ascii('RIFF\xff\xff\xff\xffWAVE')), 'wav/unknown')
    const far = Buffer.concat([ascii('JUNK'), hex('ffffffff')])
    assert.equal(codecOf(wave(1, 16, { before: far })), 'wav/unknown')
  })

  it('knows the other containers and streams', () => {
    const cases: [string, Buffer][] = [
      ['ogg/opus', oggPage('OpusHead')],
      ['ogg/vorbis', oggPage('\x01vorbis')],
      ['ogg/speex', oggPage('Speex   1.2')],
      ['ogg/flac', oggPage('\x7fFLAC')],
      ['ogg/unknown', ascii('OggS')],
      ['flac', ascii('fLaC\0\0\0\x22')],
      ['au', ascii('.snd\0\0\0\x18')],
      ['aiff', ascii('FORM\0\0\0\0AIFF')],
      ['aiff', ascii('FORM\0\0\0\0AIFC')],
      ['caf', ascii('caff\0\x01\0\0')],
      ['amr', ascii('#!AMR\n')],
      ['amr-wb', ascii('#!AMR-WB\n')],
      ['webm', hex('1a45dfa3 9f 4286 81 01 4282 84 7765626d')],
      ['matroska', hex('1a45dfa3 a3 4282 88 6d6174726f736b61')],
      ['mp4', ascii('\0\0\0\x20ftypM4A ')],
      ['mp4', ascii('\0\0\0\x20ftypisom')],
      ['3gp', ascii('\0\0\0\x20ftyp3gp4')],
      ['mp3', ascii('ID3\x04\0\0\0\0\x7f\x7f')],
      ['mp3', hex('ffe310c4')],
    ]
    for (const [codec, head] of cases) assert.equal(codecOf(head), codec)
  })

  it('wants a second frame where there is room for one', () => {
    const mp3 = sample('voicemail.mp3')
    const tagBytes = 10 + (mp3.readUInt8(8) << 7) + mp3.readUInt8(9)
    const frames = mp3.subarray(0, 3).equals(ascii('ID3')) ? mp3.subarray(tagBytes) : mp3
    assert.equal(codecOf(frames), 'mp3')
    assert.equal(codecOf(Buffer.concat([frames.subarray(0, 20), Buffer.alloc(4000)])), null)
    assert.equal(codecOf(Buffer.concat([mp3.subarray(0, tagBytes), ascii('<html>'.repeat(100))])), null)
    // An ADTS frame of 10 bytes, and another.
    const adts = hex('fff1 50 80 01 5f fc 000000')
    assert.equal(codecOf(Buffer.concat([adts, adts])), 'aac')
    assert.equal(codecOf(Buffer.concat([adts, Buffer.alloc(10)])), null)
    assert.equal(codecOf(Buffer.alloc(4000, 0xff)), null)
  })
})

describe('sniffAudio on codecs without one', () => {
  const speech = Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 97) & 0xff))

  it('takes the word of content type or extension', () => {
    const cases: [string | null, { contentType?: string; fileName?: string }][] = [
      ['pcm_mulaw', { fileName: 'a.ulaw' }],
      ['pcm_mulaw', { fileName: 'x/Msg0001.ULAW' }],
      ['pcm_mulaw', { contentType: 'audio/PCMU; rate=8000' }],
      ['pcm_mulaw', { contentType: 'audio/basic' }],
      ['pcm_alaw', { fileName: 'a.alaw' }],
      ['pcm_alaw', { contentType: 'audio/PCMA', fileName: 'a.ulaw' }],
      ['g722', { fileName: 'a.g722' }],
      ['g729', { contentType: 'audio/G729' }],
      ['pcm_s16le', { fileName: 'a.sln16' }],
      ['pcm_s16be', { contentType: 'audio/L16;rate=16000;channels=2' }],
      [null, { contentType: 'audio/L16;rate=1' }],
      [null, { contentType: 'audio/L16;channels=7' }],
      [null, { contentType: 'audio/wav' }],
      [null, { contentType: 'audio/mpeg', fileName: 'a.mp3' }],
      [null, { fileName: 'a' }],
      [null, { fileName: 'a.exe' }],
      [null, {}],
    ]
    for (const [codec, hints] of cases) assert.equal(codecOf(speech, hints), codec, JSON.stringify(hints))
    assert.deepEqual(sniffAudio(speech, { ...none, fileName: 'a.sln44' })?.inputOptions, [
      '-f',
      's16le',
      '-ar',
      '44100',
      '-ac',
      '1',
    ])
  })

  it('takes silence for what it is declared to be', () => {
    for (const [fileName, byte] of [
      ['a.ulaw', 0xff],
      ['a.ulaw', 0x7e],
      ['a.ulaw', 0x7f],
      ['a.alaw', 0xd5],
      ['a.alaw', 0x55],
      ['a.sln', 0],
    ] as const) {
      assert.notEqual(codecOf(Buffer.alloc(4096, byte), { fileName }), null, `${fileName} ${byte}`)
    }
  })

  it('knows GSM by its frames', () => {
    const gsm = sample('voicemail.gsm')
    assert.equal(codecOf(gsm, { fileName: 'msg0001.gsm' }), 'gsm')
    assert.equal(codecOf(gsm, { contentType: 'audio/x-gsm' }), 'gsm')
    assert.equal(codecOf(gsm), null)
    assert.equal(codecOf(gsm.subarray(1), { fileName: 'a.gsm' }), null)
    assert.equal(codecOf(gsm.subarray(0, 32), { fileName: 'a.gsm' }), null)
    assert.equal(codecOf(Buffer.alloc(33 * 4, 0xff), { fileName: 'a.gsm' }), null)
  })

  it('is not talked into documents, archives, pictures or programs', () => {
    const others: (string | Buffer)[] = [
      '',
      'Not found\n',
      '{"error":"not found"}',
      '\ufeff{"error":"not found"}',
      '<!DOCTYPE html><html>',
      '  \n<?xml version="1.0"?><Error/>',
      Buffer.concat([ascii('<html>'), Buffer.alloc(100, 0xe9)]),
      '#!/bin/sh\nrm -rf /\n',
      'Änderung nötig, 日本語',
      '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n',
      'ffconcat version 1.0\nfile /etc/passwd\n',
      hex('504b0304 14000000'),
      ascii('%PDF-1.7\n\xe2\xe3'),
      hex('89504e47 0d0a1a0a'),
      hex('ffd8ffe0 00104a46'),
      ascii('GIF89a\x01\0'),
      ascii('RIFF\0\0\0\0AVI '),
      ascii('RIFF\0\0\0\0WEBP'),
      ascii('\0\0\0\x20ftypheic'),
      hex('7f454c46 020101'),
      hex('1f8b08 00'),
      Buffer.concat([ascii('MZ'), Buffer.alloc(58), hex('40000000'), ascii('PE\0\0')]),
      Buffer.concat([Buffer.alloc(257, 1), ascii('ustar')]),
      ascii('SQLite format 3\0'),
    ]
    for (const content of others) {
      for (const fileName of ['a.ulaw', 'a.sln', 'a.g722', 'a.gsm', 'a.wav']) {
        assert.equal(
          codecOf(Buffer.from(content), { fileName }),
          null,
          `${fileName}: ${String(content).slice(0, 20)}`,
        )
      }
    }
  })
})

describe('sniffAudio', () => {
  const hints = fc.record({
    contentType: fc.option(
      fc.oneof(fc.string(), fc.constantFrom('audio/L16;rate', 'audio/gsm', ';;;', 'audio/pcmu')),
    ),
    fileName: fc.option(fc.oneof(fc.string(), fc.constantFrom('.gsm', 'a.sln', '...', 'a.'))),
  })
  const magic = fc.constantFrom(
    'RIFFxxxxWAVE',
    'RIFFxxxxWAVEfmt ',
    'ID3',
    'OggS',
    'xxxxftyp',
    '\xff\xfb',
    '\xff\xf1',
    'MZ',
    '',
  )

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 200 }), hints, (start, rest, hint) => {
        const result = sniffAudio(Buffer.concat([ascii(start), rest]), hint)
        assert.ok(result === null || result.inputOptions[0] === '-f')
      }),
      { numRuns: 2000 },
    )
  })

  it('needs no more than the bytes it asks for, and takes fewer', () => {
    for (const name of ['voicemail-pcm16.wav', 'voicemail.mp3', 'voicemail.ogg']) {
      const whole = sample(name)
      assert.deepEqual(sniffAudio(whole, none), sniffAudio(whole.subarray(0, sniffBytes), none))
      for (let length = 0; length < 300; length += 1) sniffAudio(whole.subarray(0, length), none)
    }
  })
})
