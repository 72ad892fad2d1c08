// What somebody may do to an evidence bundle, or to the log before it is exported, and what a verifier has to call it.
import { gzipSync } from 'node:zlib'
import type { AuditEvent } from '@auricle/audit'
import { type Bundle, type BundleOptions, bundleOf, bytesOf, logName, makeBundle } from './bundle-fixture.ts'
import { frontierOf, leafHash } from './merkle.ts'
import { type Random, randomFrom } from './random.ts'
import { ed25519Key, logSigner } from './signing-keys.ts'
import type { Story, TracedEvent } from './story.ts'

export type Verdict = 'ok' | 'tampered' | 'missing' | 'gap' | 'unsigned' | 'stale'

export interface Mutant {
  readonly name: string
  readonly bytes: Buffer
  readonly policy: string | null
  readonly at: Date
  /** What it must be; `bad` is anything but `ok`, `any` where both verifiers must only agree. */
  readonly expected: Verdict | 'bad' | 'any'
}

interface Target {
  readonly bundle: Bundle
  readonly options: BundleOptions
  readonly random: Random
}

type Change = Partial<Omit<Mutant, 'name'>> & { readonly lines?: readonly string[] }
/** Null where this bundle has no place for it. */
type Mutation = (target: Target) => Change | null

type Line = Record<string, unknown>

/** Of the mutants, how many are altered once more. */
const pairShare = 0.3

/** At least `count` mutants, each of one of `shapes`; they follow from `seed` but for signatures on P-256. */
export function makeMutants(
  seed: number,
  count: number,
  shapes: readonly Omit<BundleOptions, 'seed'>[],
): Mutant[] {
  const random = randomFrom(seed)
  const names = Object.keys(mutations)
  const targets = shapes.map((shape, index) => {
    const options = { ...shape, seed: seed + index }
    return { options, bundle: makeBundle(options) }
  })
  const mutants: Mutant[] = []
  for (let round = 0; mutants.length < count; round++) {
    const name = names[round % names.length] ?? ''
    const target = { ...random.pick(targets), random }
    const change = mutations[name]?.(target) ?? null
    if (change === null) continue
    mutants.push(mutantOf(name, target, change))
    const { lines } = change
    if (lines === undefined || !lines.every(isJson) || !random.chance(pairShare)) continue
    // What is wrong in two places may hide one of them: here both must only agree.
    const second = random.pick(names)
    const altered = {
      ...target,
      bundle: { ...target.bundle, ...change, lines, policy: target.bundle.policy },
    }
    const more = mutations[second]?.(altered) ?? null
    if (more !== null) mutants.push(mutantOf(`${name}; ${second}`, altered, { ...more, expected: 'any' }))
  }
  return mutants
}

function mutantOf(name: string, { bundle }: Target, change: Change): Mutant {
  const { lines = bundle.lines, expected = 'any' } = change
  const { bytes = bytesOf(lines), policy = bundle.policy, at = bundle.at } = change
  return { name, bytes, policy, at, expected }
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object' && JSON.parse(line) !== null
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

const mutations: Readonly<Record<string, Mutation>> = {
  'a bit anywhere': ({ bundle, random }) => ({ bytes: flipBit(bytesOf(bundle.lines), random) }),
  'a bit of a leaf': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      'leaf',
      line => ({ ...line, leaf: flipBase64(line['leaf'], random) }),
      'tampered',
    ),
  'a bit of a private part': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      line => line['private'] !== undefined,
      line => ({ ...line, private: flipBase64(line['private'], random) }),
      'tampered',
    ),
  'a private part of another leaf': ({ bundle }) => {
    const shown = bundle.lines.filter(line => line.includes('"private":"'))
    if (shown.length < 2) return null
    const [one = '', other = ''] = shown
    const moved = { ...parse(one), private: parse(other)['private'] }
    return { lines: replace(bundle.lines, bundle.lines.indexOf(one), [write(moved)]), expected: 'tampered' }
  },
  'a private part where there is none': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      line => line['type'] === 'leaf' && line['private'] === undefined,
      line => ({ ...line, private: random.bytes(40).toString('base64') }),
      'tampered',
    ),
  'a line gone': ({ bundle, random }) => ({
    lines: replace(bundle.lines, random.int(bundle.lines.length), []),
    expected: 'bad',
  }),
  'a leaf gone, and counted': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'leaf')
    return index === null ? null : { lines: recounted(replace(bundle.lines, index, [])), expected: 'missing' }
  },
  'any line gone, and counted': ({ bundle, random }) => ({
    lines: recounted(replace(bundle.lines, 2 + random.int(bundle.lines.length - 3), [])),
  }),
  'a checkpoint gone, and counted': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'checkpoint')
    return index === null ? null : { lines: recounted(replace(bundle.lines, index, [])) }
  },
  'an anchored line gone, and counted': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'anchored')
    return index === null ? null : { lines: recounted(replace(bundle.lines, index, [])) }
  },
  'all of the anchor gone': ({ bundle }) => ({
    lines: recounted(bundle.lines.filter(line => !line.startsWith('{"type":"anchor'))),
    expected: 'missing',
  }),
  'an anchor checkpoint gone': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'anchorCheckpoint')
    return index === null ? null : { lines: recounted(replace(bundle.lines, index, [])), expected: 'bad' }
  },
  'a consistency proof gone': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'anchorConsistency')
    return index === null ? null : { lines: recounted(replace(bundle.lines, index, [])), expected: 'missing' }
  },
  'a leaf twice': ({ bundle, random }) => {
    const index = indexOf(bundle, random, 'leaf')
    const line = index === null ? undefined : bundle.lines[index]
    if (index === null || line === undefined) return null
    return { lines: recounted(replace(bundle.lines, index, [line, line])), expected: 'tampered' }
  },
  'any line twice': ({ bundle, random }) => {
    const index = random.int(bundle.lines.length)
    const line = bundle.lines[index] ?? ''
    return { lines: replace(bundle.lines, index, [line, line]), expected: 'bad' }
  },
  'two neighbours swapped': ({ bundle, random }) => {
    const index = random.int(bundle.lines.length - 1)
    return { lines: swap(bundle.lines, index, index + 1), expected: 'bad' }
  },
  'two lines swapped': ({ bundle, random }) => ({
    lines: swap(bundle.lines, random.int(bundle.lines.length), random.int(bundle.lines.length)),
  }),
  'a line moved': ({ bundle, random }) => {
    const from = random.int(bundle.lines.length)
    const rest = replace(bundle.lines, from, [])
    const to = random.int(rest.length)
    return { lines: [...rest.slice(0, to), bundle.lines[from] ?? '', ...rest.slice(to)] }
  },
  'another number': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      'leaf',
      line => ({ ...line, seq: Math.max(0, Number(line['seq']) + random.pick([-1, 1, 2, 1000, 2 ** 40])) }),
      'any',
    ),
  'a number of any line': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      line => Object.values(line).some(value => typeof value === 'number'),
      line => {
        const name = random.pick(Object.keys(line).filter(key => typeof line[key] === 'number'))
        const value = Number(line[name])
        return {
          ...line,
          [name]: random.pick([0, 1, Math.max(0, value - 1), value + 1, value * 2, 2 ** 53 - 1]),
        }
      },
      'any',
    ),
  'a leaf withheld': ({ bundle, random }) =>
    editLine(bundle, random, 'leaf', line => ({ type: 'hash', seq: line['seq'], hash: hashOf(line) }), 'any'),
  'a withheld leaf made up': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      'leaf',
      line => ({ type: 'hash', seq: line['seq'], hash: random.bytes(32).toString('base64') }),
      'tampered',
    ),
  'cut off anywhere': ({ bundle, random }) => {
    const bytes = bytesOf(bundle.lines)
    return { bytes: bytes.subarray(0, random.int(bytes.length)), expected: 'missing' }
  },
  'cut off at a line': ({ bundle, random }) => ({
    lines: bundle.lines.slice(0, random.int(bundle.lines.length)),
    expected: 'missing',
  }),
  'cut off, with an end': ({ bundle, random }) => {
    const kept = bundle.lines.slice(0, 2 + random.int(bundle.lines.length - 3))
    return { lines: recounted([...kept, write({ type: 'end', lines: 0 })]), expected: 'bad' }
  },
  'the last line feed gone': ({ bundle }) => {
    const bytes = bytesOf(bundle.lines)
    return { bytes: bytes.subarray(0, -1), expected: 'missing' }
  },
  'lines behind the end': ({ bundle, random }) => ({
    lines: [...bundle.lines, random.pick(bundle.lines)],
    expected: 'tampered',
  }),
  'bytes behind the end': ({ bundle, random }) => ({
    bytes: Buffer.concat([
      bytesOf(bundle.lines),
      random.bytes(1 + random.int(20)).map(byte => (byte === 10 ? 0 : byte)),
    ]),
  }),
  'signed by another key': ({ bundle, random }) =>
    resigned(bundle, random, 'checkpoint', note => note.slice(0, note.indexOf('\n'))),
  'anchor signed by another key': ({ bundle, random }) =>
    resigned(bundle, random, 'anchorCheckpoint', () => `${logName}/anchor`),
  'another anchor key in the policy': ({ bundle, random }) => {
    const other = logSigner(`${logName}/anchor`, ed25519Key(random))
    const policy = bundle.policy.replace(/^log \S+\/anchor\+.*$/m, `log ${other.text}`)
    return { policy, expected: 'unsigned' }
  },
  'nothing pinned': () => ({ policy: null, expected: 'unsigned' }),
  'nothing pinned and a bit changed': ({ bundle, random }) => ({
    policy: null,
    bytes: flipBit(bytesOf(bundle.lines), random),
    expected: 'bad',
  }),
  'keys swapped in policy and bundle, nothing pinned': ({ bundle, options, random }) => {
    const own = { log: ed25519Key(random), anchor: ed25519Key(random), witnesses: [ed25519Key(random)] }
    const { first: _, ...rest } = options
    const forged = bundleOf(bundle.story, own, { ...rest, selection: {}, quorum: 1 })
    return { lines: forged.lines, policy: null, expected: 'unsigned' }
  },
  'all made again by other keys': ({ bundle, options, random }) => {
    const own = { log: ed25519Key(random), anchor: ed25519Key(random), witnesses: bundle.keys.witnesses }
    return { lines: bundleOf(bundle.story, own, options).lines, expected: 'unsigned' }
  },
  'a cosignature gone': ({ bundle, options }) => {
    if ((options.quorum ?? 0) === 0 || options.quorum !== options.witnesses) return null
    const index = bundle.lines.findLastIndex(line => line.startsWith('{"type":"anchorCheckpoint"'))
    const line = parse(bundle.lines[index] ?? '')
    const note = String(line['note']).replace(/\u2014 witness.*\n$/, '')
    return { lines: replace(bundle.lines, index, [write({ ...line, note })]), expected: 'unsigned' }
  },
  'a signature of somebody unknown': ({ bundle, random }) =>
    editNote(
      bundle,
      random,
      note => `${note}${logSigner('somebody.example', ed25519Key(random)).line('text\n')}`,
      'ok',
    ),
  'a signature in a known name': ({ bundle, random }) =>
    editNote(bundle, random, note => note.replace(/ (\S{6})\S\S(\S+)\n$/, ' $1AA$2\n'), 'any'),
  'a byte of a signature': ({ bundle, random }) =>
    editNote(
      bundle,
      random,
      note => {
        const at = note.lastIndexOf(' ') + 1
        const payload = Buffer.from(note.slice(at, -1), 'base64')
        const index = 4 + random.int(payload.length - 4)
        payload[index] = (payload[index] ?? 0) ^ (1 << random.int(8))
        return `${note.slice(0, at)}${payload.toString('base64')}\n`
      },
      'tampered',
    ),
  'a note written otherwise': ({ bundle, random }) =>
    editNote(
      bundle,
      random,
      note =>
        random.pick([
          note.replace('\u2014', '-'),
          note.replaceAll('\n', '\r\n'),
          note.replace('\n\n', '\n\n\n'),
          note.replace('\n\n', '\n'),
          note.replace(/\n(\d+)\n/, '\n0$1\n'),
          note.replace(/\n(\d+)\n/, '\n$1.0\n'),
          note.replace(/\n(\d+)\n/, '\n9007199254740993\n'),
          note.replace('\n\n', '\nextension\n\n'),
          note.slice(0, -1),
          `${note}\n`,
          note.replace(/\u2014.*\n$/, ''),
          note.replace(/\u2014 (\S+)/, '\u2014 \u00a0$1'),
          note.replace(/(\u2014 .*\n)$/, '$1'.repeat(17)),
          note.replace('=\n\n', '\n\n'),
          `\u0001${note}`,
          '',
        ]),
      'tampered',
    ),
  'a note of the log in place of another': ({ bundle, random }) => {
    const notes = bundle.lines.filter(line => line.includes('"note":'))
    const index = bundle.lines.indexOf(random.pick(notes))
    const line = parse(bundle.lines[index] ?? '')
    return {
      lines: replace(bundle.lines, index, [write({ ...line, note: parse(random.pick(notes))['note'] })]),
    }
  },
  'a proof changed': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      line => Array.isArray(line['proof']),
      line => ({ ...line, proof: changedProof(line['proof'] as string[], random) }),
      'tampered',
    ),
  'a prefix changed': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      'log',
      line => ({ ...line, prefix: changedProof(line['prefix'] as string[], random) }),
      'tampered',
    ),
  'an anchor leaf changed': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      'anchored',
      line => {
        const text = Buffer.from(String(line['leaf']), 'base64').toString()
        const other = random.pick([
          text.replace(/\n\d{4}/, '\n2031'),
          text.replace('anchor/1', 'anchor/2'),
          text.replace(/\n(\d+)\n/, '\n1\n'),
          text.slice(0, -1),
          text.replace(/T\d\d/, 'T25'),
          `${text}\n`,
        ])
        return { ...line, leaf: Buffer.from(other).toString('base64') }
      },
      'tampered',
    ),
  'the header changed': ({ bundle, random }) => {
    const header = parse(bundle.lines[0] ?? '')
    const other = random.pick<Line>([
      { ...header, tenant: random.id('ten') },
      { ...header, tenant: random.id('usr') },
      { ...header, format: 'auricle-evidence/2' },
      { ...header, madeAt: '2026-02-30T00:00:00.000Z' },
      { ...header, madeAt: '2020-01-01T00:00:00.000Z' },
      { ...header, madeAt: null },
    ])
    return { lines: replace(bundle.lines, 0, [write(other)]) }
  },
  'the selection changed': ({ bundle, random }) => {
    const { story } = bundle
    const event = random.pick(story.years.flatMap(({ events }) => events)).event
    const selection = random.pick<unknown>([
      { patient: random.pick(story.patients) },
      { user: random.pick(story.users) },
      { recording: random.pick(story.recordings) },
      { patient: random.pick(story.patients), user: random.pick(story.users) },
      { from: event.at },
      { to: event.at },
      { from: event.at, to: bundle.at.toISOString() },
      { to: event.at, from: event.at },
      { user: 'Dana' },
      { from: '2026-01-01' },
      { other: 'x' },
      ['patient'],
      null,
    ])
    return { lines: replace(bundle.lines, 0, [write({ ...parse(bundle.lines[0] ?? ''), selection })]) }
  },
  'a selection that reaches further than the bundle': ({ bundle, random }) => {
    const header = parse(bundle.lines[0] ?? '')
    const to = new Date(bundle.at.getTime() - random.int(60_000)).toISOString()
    const selection = { ...(header['selection'] as Line), to }
    return { lines: replace(bundle.lines, 0, [write({ ...header, selection })]), expected: 'missing' }
  },
  'no log': ({ bundle }) => ({
    lines: [...bundle.lines.slice(0, 2), write({ type: 'end', lines: 2 })],
    expected: 'missing',
  }),
  'the bundled policy changed': ({ bundle, random }) => {
    const text = random.pick([
      '',
      'quorum none\n',
      'quorum nobody\n',
      `${bundle.policy}quorum none\n`,
      bundle.policy.replace('+', '-'),
      bundle.policy.replace(/\+[0-9a-f]/, '+g'),
      bundle.policy.replaceAll('\n', '\r\n'),
      bundle.policy.replace('log', '\t log\t'),
      `${bundle.policy}group none 1 w0\n`,
      `group g 2 a\n${bundle.policy}`,
    ])
    return { lines: replace(bundle.lines, 1, [write({ type: 'policy', text })]) }
  },
  'JSON written otherwise': ({ bundle, random }) => {
    const index = random.int(bundle.lines.length)
    const line = bundle.lines[index] ?? ''
    const other = random.pick([
      line.replace('{', '{ '),
      `${line} `,
      `\ufeff${line}`,
      `${line}\r`,
      line.replace('{', '{"type":"leaf",'),
      line.replace('"type"', '"typ\\u0065"'),
      line.replace(/}$/, ',"more":1}'),
      line.replace(/}$/, ',"type":"end"}'),
      line.replace('{"type":', '{"__proto__":null,"type":'),
      `[${line}]`,
      line.slice(1),
      '',
      'null',
      '"leaf"',
      '{}',
      '{"type":null}',
      '{"type":"unknown"}',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `{"type":"end","lines":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
    ])
    return { lines: replace(bundle.lines, index, [other]), expected: 'tampered' }
  },
  'numbers written otherwise': ({ bundle, random }) => {
    const index = random.pick(bundle.lines.flatMap((line, at) => (/":\d/.test(line) ? [at] : [])))
    const line = bundle.lines[index] ?? ''
    const other = random.pick([
      '$1.0',
      '$1e0',
      '-$1',
      '0$1',
      '+$1',
      '$1.5',
      '-0',
      '9007199254740992',
      '1'.repeat(400),
      '1e400',
      '"$1"',
      'true',
      'NaN',
    ])
    return {
      lines: replace(bundle.lines, index, [line.replace(/(?<=":)(\d+)/, other)]),
      expected: 'tampered',
    }
  },
  'not UTF-8': ({ bundle, random }) => {
    const bytes = bytesOf(bundle.lines)
    const index = random.int(bytes.length)
    const bad = random.pick([
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x82],
      [0xf4, 0x90, 0x80, 0x80],
      [0xc3, 0xa4],
    ])
    return {
      bytes: Buffer.concat([bytes.subarray(0, index), Buffer.from(bad), bytes.subarray(index)]),
      expected: 'bad',
    }
  },
  'CRLF throughout': ({ bundle }) => ({
    bytes: Buffer.from(bundle.lines.map(line => `${line}\r\n`).join('')),
    expected: 'tampered',
  }),
  'a byte order mark': ({ bundle }) => ({
    bytes: Buffer.concat([Buffer.from('\ufeff'), bytesOf(bundle.lines)]),
    expected: 'tampered',
  }),
  'an empty file': ({ random }) => ({
    bytes:
      random.pick(['', '\n', '{', ' ', '\n\n', '\u0000']).length > 0 && random.chance(0.5)
        ? Buffer.from('\n')
        : Buffer.alloc(0),
    expected: 'bad',
  }),
  'a line that is too long': ({ bundle, random }) => {
    const long = 'x'.repeat(1_048_570 + random.int(12))
    return {
      lines: replace(bundle.lines, 1, [write({ type: 'policy', text: `${bundle.policy}# ${long}` })]),
      expected: 'tampered',
    }
  },
  packed: ({ bundle }) => ({ bytes: gzipSync(bytesOf(bundle.lines)), expected: 'ok' }),
  'packed in two parts': ({ bundle, random }) => {
    const bytes = bytesOf(bundle.lines)
    const at = random.int(bytes.length)
    return {
      bytes: Buffer.concat([gzipSync(bytes.subarray(0, at)), gzipSync(bytes.subarray(at))]),
      expected: 'ok',
    }
  },
  'packed, with something behind it': ({ bundle, random }) => {
    const more = random.pick([
      Buffer.alloc(1),
      Buffer.alloc(600),
      Buffer.from('more'),
      Buffer.from([0x1f, 0x8b]),
    ])
    return { bytes: Buffer.concat([gzipSync(bytesOf(bundle.lines)), more]), expected: 'bad' }
  },
  'packed and cut off': ({ bundle, random }) => {
    const packed = gzipSync(bytesOf(bundle.lines))
    return { bytes: packed.subarray(0, 2 + random.int(packed.length - 2)), expected: 'missing' }
  },
  'packed and a bit changed': ({ bundle, random }) => {
    const packed = gzipSync(bytesOf(bundle.lines))
    // Of the head of a gzip file, which is not under its checksum, only the magic is of interest.
    return {
      bytes: Buffer.concat([packed.subarray(0, 10), flipBit(packed.subarray(10), random)]),
      expected: 'bad',
    }
  },
  'packed after a bit was changed': ({ bundle, random }) => ({
    bytes: gzipSync(flipBit(bytesOf(bundle.lines), random)),
  }),
  'a leaf written otherwise': ({ bundle, random }) =>
    editLeaf(bundle, random, text =>
      random.pick([
        text.replace('{', '{ '),
        text.replace('"v":1', '"v":1,"v":1'),
        text.replace('"v":1', '"v":1.0'),
        text.replace('"v":1', '"v":2'),
        text.replace('"v":1', '"v":true'),
        text.replace('"v":1', '"v":1,"w":1.5'),
        text.replace('"v":1', '"v":1,"w":9007199254740992'),
        text.replace('"v":1', '"v":1,"w":-0'),
        text.replace('"v":1', '"v":1,"w":"\\ud800"'),
        text.replace('"v":1', '"v":1,"w":"\ud83d\\ude00"'),
        text.replace('"v":1', '"v":1,"w_x":1'),
        text.replace('"v":1', '"v":1,"A":1'),
        text.replace('"v":1', '"v":1,"10":1'),
        text.replace('"v":1', '"v":1,"__proto__":{}'),
        text.replace('"v":1', `"v":1,"w":${'['.repeat(64)}${']'.repeat(64)}`),
        text.replace('"v":1', `"v":1,"w":${'['.repeat(3000)}${']'.repeat(3000)}`),
        text.replace('"v":1', `"v":1,"w":"${'x'.repeat(8200)}"`),
        text.replace('"at":"20', '"at":"19'),
        text.replace(/"at":"(.{10})/, '"at":"2026-02-29'),
        text.replace(/T(\d\d)/, 'T24'),
        text.replace(/"tenant":"[^"]*"/, `"tenant":"${random.id('ten')}"`),
        text.replace(/"actor":\{[^}]*\}/, '"actor":null'),
        text.replace('"object":null', '"object":{"id":1}'),
        text.replace('audit/1', 'audit/2'),
        `${text}\n`,
        text.slice(0, -1),
        '',
        'auricle-audit/1\nnull',
      ]),
    ),
  'a leaf that says more, nested as deep as may be': ({ bundle, random }) =>
    editLeaf(bundle, random, text =>
      text.replace('"v":1', `"v":1,"w":${'['.repeat(63)}"\u00e9\\u001f\ud83d\ude00"${']'.repeat(63)}`),
    ),
  'an event that never was, in its place': ({ bundle, random }) =>
    editLeaf(bundle, random, text => text.replace(/"id":"evt_[^"]*"/, `"id":"${random.id('evt')}"`)),
  'another actor': ({ bundle, random }) =>
    editLeaf(bundle, random, text => text.replace(/"id":"usr_[^"]*"/, `"id":"${random.id('usr')}"`), 'usr_'),
  'replaced, and made again with the stolen key of the log': target =>
    remade(
      target,
      events => {
        const index = target.random.int(events.length)
        return events.map((traced, at) => (at === index ? other(traced, { outcome: 'denied' }) : traced))
      },
      'old anchor',
    ),
  'taken out, and made again with the stolen key of the log': target =>
    remade(target, events => withoutOne(events, target.random), 'old anchor'),
  'taken out before it was sealed': target =>
    remade(target, events => withoutAcknowledged(events, target.random), 'gap'),
  'a beat taken out before it was sealed': target =>
    remade(target, events => withoutBeat(events, target.random), 'gap'),
  'the start of a writer taken out before it was sealed': target =>
    remade(
      target,
      events => {
        const kept = events.filter(({ event }) => event.action !== 'writer.started')
        return kept.length === events.length ? null : kept
      },
      'gap',
    ),
  'a beat twice': target =>
    remade(
      target,
      events => {
        const index = events.findLastIndex(
          ({ event }) => event.detail?.kind === 'beat' && event.detail.beat > 0,
        )
        const detail = events[index]?.event.detail
        const traced = events[index]
        if (traced === undefined || detail?.kind !== 'beat') return null
        const again = other(traced, { detail: { ...detail, beat: detail.beat - 1 } })
        return events.map((one, at) => (at === index ? again : one))
      },
      'gap',
    ),
  'a beat that names what never was': target =>
    remade(
      target,
      events => {
        const index = events.findLastIndex(({ event }) => event.detail?.kind === 'beat')
        const traced = events[index]
        if (traced === undefined || traced.event.detail?.kind !== 'beat') return null
        const most = 2 ** 53 - 1
        const acknowledged = target.random.pick<[number, number][]>([
          [[0, most]],
          [[most, most]],
          [[most - 5, most]],
          [[0, 2 ** 32]],
        ])
        const again = other(traced, { detail: { ...traced.event.detail, acknowledged } })
        return events.map((one, at) => (at === index ? again : one))
      },
      'gap',
    ),
  'a number twice': target =>
    remade(
      target,
      events => {
        const from = events.findIndex(({ event }) => event.action === 'session.opened')
        const given = events[from]?.event.writer
        const index = events.findIndex(({ event }, at) => at > from && event.action === 'recording.played')
        if (given === undefined || index === -1 || from === -1) return null
        return events.map((traced, at) => (at === index ? other(traced, { writer: given }) : traced))
      },
      'gap',
    ),
  'an event without a number': target =>
    remade(
      target,
      events => {
        const index = events.findLastIndex(({ event }) => event.action === 'recording.played')
        if (index < 3) return null
        return events.map((traced, at) => {
          if (at !== index) return traced
          const { writer: _, ...event } = traced.event
          return { ...traced, event }
        })
      },
      'gap',
    ),
  'a time that goes back': target =>
    remade(
      target,
      events => {
        const late = new Set(
          events.flatMap(({ event: { detail } }) => (detail?.kind === 'reconciled' ? detail.events : [])),
        )
        const traced = target.random.pick(events.slice(-5).filter(({ event }) => !late.has(event.id)))
        const at = new Date(Date.parse(traced.event.at) - 3_600_000).toISOString()
        return events.map(one => (one === traced ? other(traced, { at }) : one))
      },
      'gap',
    ),
  'a clock that is ahead': target =>
    remade(
      target,
      events => {
        const last = events.at(-1)
        const at = new Date(Date.parse(last?.event.at ?? '') + 3_600_000).toISOString()
        return events.map((traced, position) =>
          position === events.length - 2 ? other(traced, { at }) : traced,
        )
      },
      'any',
    ),
  'anchored before it happened': ({ bundle, options }) => ({
    lines: bundleOf(bundle.story, bundle.keys, { ...options, anchoredAfterMs: -3_600_000 }).lines,
    expected: 'gap',
  }),
  'the first year left out': ({ bundle, options }) =>
    options.years.length < 2
      ? null
      : {
          lines: recounted(withoutLog(bundle, 0)),
          expected: (options.withheld ?? 0) > 0 ? 'any' : 'missing',
        },
  'a year between left out': ({ bundle, options }) =>
    options.years.length < 3 || (options.withheld ?? 0) > 0
      ? null
      : { lines: recounted(withoutLog(bundle, 1)), expected: 'missing' },
  'the last year left out': ({ bundle, options }) =>
    options.years.length < 2
      ? null
      : { lines: recounted(withoutLog(bundle, options.years.length - 1)), expected: 'stale' },
  'the end of a year left out': ({ bundle, options }) => {
    if (options.years.length < 2) return null
    const { from, to } = logLines(bundle, 0)
    const checkpoints = bundle.lines.flatMap((line, index) =>
      index > from && index < to && line.startsWith('{"type":"checkpoint"') ? [index] : [],
    )
    const last = checkpoints.at(-2)
    return last === undefined
      ? null
      : {
          lines: recounted(bundle.lines.filter((_, index) => index <= last || index >= to)),
          expected: 'missing',
        }
  },
  'the beginning of a year left out': ({ bundle, options, random }) => {
    if (options.years.length < 2) return null
    const { from } = logLines(bundle, 1)
    const [head = '', ...leaves] = bundle.lines.slice(from)
    const first = 1 + random.int(5)
    const hashes = leaves
      .slice(0, first)
      .map(line =>
        Buffer.from(
          parse(line)['type'] === 'hash' ? String(parse(line)['hash']) : hashOf(parse(line)),
          'base64',
        ),
      )
    const prefix = frontierOf(hashes).map(hash => hash.toString('base64'))
    return {
      lines: recounted([
        ...bundle.lines.slice(0, from),
        write({ ...parse(head), first, prefix }),
        ...leaves.slice(first),
      ]),
      expected: 'missing',
    }
  },
  'an earlier year made again': ({ bundle, options, random }) => {
    if (options.years.length < 2 || (options.withheld ?? 0) > 0) return null
    const [year, ...years] = bundle.story.years
    if (year === undefined) return null
    const events = year.events.map(traced => other(traced, { request: random.id('evt') }))
    const again = bundleOf({ ...bundle.story, years: [{ ...year, events }, ...years] }, bundle.keys, options)
    const { to } = logLines(bundle, 0)
    return { lines: [...again.lines.slice(0, to), ...bundle.lines.slice(to)], expected: 'tampered' }
  },
  'a year that denies the one before': ({ bundle, options, random }) => {
    if (options.years.length < 2 || (options.withheld ?? 0) > 0) return null
    const { from } = logLines(bundle, 1)
    const line = parse(bundle.lines[from + 1] ?? '')
    const text = Buffer.from(String(line['leaf']), 'base64').toString()
    const year = options.years[0] ?? 0
    const changed = random.pick([
      text.replace(/"previous":\{[^}]*\}/, '"previous":null'),
      text.replace(`/${year}"`, `/${year - 1}"`),
      text.replace(`/${year}"`, `/${year + 7}"`),
      text.replace(`${logName}/t/`, 'other.example/t/'),
      text.replace('log.opened', 'log.shown'),
      text.replace(/"size":\d+/, '"size":1'),
      text.replace(/"size":\d+/, '"size":"1"'),
    ])
    return {
      lines: replace(bundle.lines, from + 1, [
        write({ ...line, leaf: Buffer.from(changed).toString('base64') }),
      ]),
      expected: 'tampered',
    }
  },
  'another year': ({ bundle, random }) =>
    editLine(bundle, random, 'log', line => ({ ...line, year: Number(line['year']) + 1 }), 'tampered'),
  'another origin': ({ bundle, random }) =>
    editLine(
      bundle,
      random,
      line => line['origin'] !== undefined,
      line => ({
        ...line,
        origin: random.pick([
          `other.example/t/${bundle.story.tenant}/2026`,
          `${logName}/t/${random.id('ten')}/2026`,
          `${logName}/anchor`,
          `${logName}/t/${bundle.story.tenant}/02026`,
          `${'a'.repeat(300)}/t/${bundle.story.tenant}/2026`,
        ]),
      }),
      'tampered',
    ),
  'checked long after': ({ bundle }) => ({
    at: new Date(bundle.at.getTime() + 48 * 3_600_000),
    expected: 'stale',
  }),
  'a line of another bundle': ({ bundle, options, random }) => {
    const another = makeBundle({ ...options, seed: options.seed + 1000 })
    const index = random.int(Math.min(bundle.lines.length, another.lines.length))
    return { lines: replace(bundle.lines, index, [another.lines[index] ?? '']) }
  },
  'the second half of another bundle': ({ bundle, options, random }) => {
    const another = makeBundle({ ...options, seed: options.seed + 1000 })
    const index = 3 + random.int(Math.min(bundle.lines.length, another.lines.length) - 4)
    return { lines: [...bundle.lines.slice(0, index), ...another.lines.slice(index)], expected: 'bad' }
  },
  'many bits': ({ bundle, random }) => {
    let bytes = bytesOf(bundle.lines)
    for (let times = 2 + random.int(20); times > 0; times--) bytes = flipBit(bytes, random)
    return { bytes }
  },
  noise: ({ random }) => ({ bytes: random.bytes(random.int(3000)), expected: 'bad' }),
}

/** Where the lines of a log stand: from its first to the one behind its last. */
function logLines(bundle: Bundle, nth: number): { readonly from: number; readonly to: number } {
  const starts = bundle.lines.flatMap((line, index) => (line.startsWith('{"type":"log"') ? [index] : []))
  const from = starts[nth] ?? 0
  const to = bundle.lines.findIndex(
    (line, index) => index > from && !/^\{"type":"(leaf|hash|checkpoint)"/.test(line),
  )
  return { from, to }
}

/** Without the log and without what the anchor says of it. */
function withoutLog(bundle: Bundle, nth: number): string[] {
  const { from, to } = logLines(bundle, nth)
  const origin = String(parse(bundle.lines[from] ?? '')['origin'])
  return bundle.lines.filter(
    (line, index) =>
      (index < from || index >= to) &&
      !(line.startsWith('{"type":"anchored"') && line.includes(`"${origin}"`)),
  )
}

/** Makes the log of one year again out of other events, as whoever holds the keys can. */
function remade(
  { bundle, options, random }: Target,
  change: (events: readonly TracedEvent[]) => readonly TracedEvent[] | null,
  how: 'old anchor' | 'gap' | 'any',
): Change | null {
  const chosen = random.pick(bundle.story.years)
  const events = change(chosen.events)
  if (events === null) return null
  const years = bundle.story.years.map(year => (year === chosen ? { ...year, events } : year))
  const story: Story = { ...bundle.story, years }
  const again = bundleOf(story, bundle.keys, options)
  // Where leaves are withheld or begin in the middle, some of it cannot be known.
  const isWhole = (options.withheld ?? 0) === 0 && (options.first ?? 0) === 0
  if (how !== 'old anchor') return { lines: again.lines, at: again.at, expected: isWhole ? how : 'any' }
  const isOfAnchor = (line: string) => line.startsWith('{"type":"anchor')
  const lines = [
    ...again.lines.filter(line => !isOfAnchor(line) && !line.startsWith('{"type":"end"')),
    ...bundle.lines.filter(isOfAnchor),
    write({ type: 'end', lines: 0 }),
  ]
  return { lines: recounted(lines), expected: isWhole ? 'bad' : 'any' }
}

const other = (traced: TracedEvent, facts: Partial<AuditEvent>): TracedEvent => ({
  ...traced,
  event: { ...traced.event, ...facts },
})

const withoutOne = (events: readonly TracedEvent[], random: Random) => {
  const index = random.int(events.length)
  return events.filter((_, at) => at !== index)
}

function withoutAcknowledged(events: readonly TracedEvent[], random: Random) {
  const named = events.filter(
    ({ event }) => event.action !== 'writer.heartbeat' && isAcknowledged(events, event),
  )
  if (named.length === 0) return null
  const gone = random.pick(named)
  return events.filter(traced => traced !== gone)
}

const isAcknowledged = (events: readonly TracedEvent[], { writer }: AuditEvent): boolean =>
  writer !== undefined &&
  events.some(
    ({ event: { writer: by, detail } }) =>
      by?.id === writer.id &&
      detail?.kind === 'beat' &&
      detail.acknowledged.some(([from, to]) => from <= writer.n && writer.n <= to),
  )

function withoutBeat(events: readonly TracedEvent[], random: Random) {
  const beats = events.filter(
    ({ event }, at) =>
      event.action === 'writer.heartbeat' &&
      events.some(
        (later, position) =>
          position > at && later.event.detail?.kind === 'beat' && later.event.writer?.id === event.writer?.id,
      ),
  )
  if (beats.length === 0) return null
  const gone = random.pick(beats)
  return events.filter(traced => traced !== gone)
}

function resigned(bundle: Bundle, random: Random, type: string, originOf: (note: string) => string): Change {
  const key = ed25519Key(random)
  const lines = bundle.lines.map(text => {
    if (!text.startsWith(`{"type":"${type}"`)) return text
    const line = parse(text)
    const note = String(line['note'])
    const signed = note.slice(0, note.indexOf('\n\n') + 1)
    return write({ ...line, note: `${signed}\n${logSigner(originOf(note), key).line(signed)}` })
  })
  const isJudged = type === 'anchorCheckpoint' || bundle.policy.includes('/t/')
  return { lines, expected: isJudged ? 'unsigned' : 'ok' }
}

function editLine(
  bundle: Bundle,
  random: Random,
  which: string | ((line: Line) => boolean),
  change: (line: Line) => Line,
  expected: Mutant['expected'],
): Change | null {
  const index = indexOf(bundle, random, which)
  if (index === null) return null
  const before = bundle.lines[index] ?? ''
  const after = write(change(parse(before)))
  return after === before ? null : { lines: replace(bundle.lines, index, [after]), expected }
}

function editNote(
  bundle: Bundle,
  random: Random,
  change: (note: string) => string,
  expected: Mutant['expected'],
): Change | null {
  const notes = (line: Line) =>
    line['type'] === 'anchorCheckpoint' || (line['type'] === 'checkpoint' && bundle.policy.includes('/t/'))
  return editLine(bundle, random, notes, line => ({ ...line, note: change(String(line['note'])) }), expected)
}

function editLeaf(bundle: Bundle, random: Random, change: (text: string) => string, has = ''): Change | null {
  const leafOf = (line: Line) => Buffer.from(String(line['leaf']), 'base64').toString()
  return editLine(
    bundle,
    random,
    line => line['type'] === 'leaf' && leafOf(line).includes(has),
    line => ({ ...line, leaf: Buffer.from(change(leafOf(line))).toString('base64') }),
    'tampered',
  )
}

function indexOf(bundle: Bundle, random: Random, which: string | ((line: Line) => boolean)): number | null {
  const fits = typeof which === 'string' ? (line: Line) => line['type'] === which : which
  const indexes = bundle.lines.flatMap((line, index) => (fits(parse(line)) ? [index] : []))
  return indexes.length === 0 ? null : random.pick(indexes)
}

function changedProof(proof: readonly string[], random: Random): string[] {
  const more = random.bytes(32).toString('base64')
  if (proof.length === 0) return [more]
  const index = random.int(proof.length)
  const flipped = flipBase64(proof[index], random)
  return random.pick([
    proof.map((hash, at) => (at === index ? flipped : hash)),
    proof.filter((_, at) => at !== index),
    [...proof.slice(0, index), more, ...proof.slice(index)],
    [...proof, more],
    proof.map((hash, at) => (at === index ? hash.slice(0, -4) : hash)),
  ])
}

function flipBit(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  const index = random.int(copy.length)
  copy[index] = (copy[index] ?? 0) ^ (1 << random.int(8))
  return copy
}

const flipBase64 = (text: unknown, random: Random): string =>
  flipBit(Buffer.from(String(text), 'base64'), random).toString('base64')

const hashOf = (line: Line): string =>
  leafHash(Buffer.from(String(line['leaf']), 'base64')).toString('base64')

const parse = (line: string): Line => JSON.parse(line)
const write = (line: Line): string => JSON.stringify(line)

const replace = (lines: readonly string[], index: number, by: readonly string[]): string[] => [
  ...lines.slice(0, index),
  ...by,
  ...lines.slice(index + 1),
]

function swap(lines: readonly string[], a: number, b: number): string[] {
  return lines.map((line, index) =>
    index === a ? (lines[b] ?? line) : index === b ? (lines[a] ?? line) : line,
  )
}

/** With an end that counts right again. */
function recounted(lines: readonly string[]): string[] {
  return lines.map((line, index) =>
    line.startsWith('{"type":"end"') ? write({ type: 'end', lines: index }) : line,
  )
}
