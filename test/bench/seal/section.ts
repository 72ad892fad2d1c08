// Sealing and opening: against what the processor can do through Node, and against other libraries.
import { spawnSync } from 'node:child_process'
import { loadSealingPeers } from '../peers.ts'
import type { Row, Target } from '../report.ts'
import { median, type Samples, samplesOf, speedRatio, takeTurns } from '../rounds.ts'
import {
  largeBytes,
  largeContenders,
  largePeerContenders,
  smallContenders,
  smallPeerContenders,
} from './contenders.ts'

export const method =
  'Sealing and opening in memory, in one process, everybody once a round in rotating order. What counts is the ' +
  'processor time of the process with all its threads, so that what else the machine does counts little; a ratio is ' +
  'taken within each round and the median of the rounds is given. The primitives are AES-256-GCM with one cipher in updates of ' +
  '256 KiB and SHA-256 of the same bytes, their results dropped; 40 KB objects take one call of each, under a key ' +
  'that is already there. We seal and open whole objects (fresh key, wrap by a key in memory, header, trailer, every ' +
  'check), in pieces. Peers get 64 MiB as a stream and as whole bytes, and the faster counts; 40 KB objects are whole ' +
  'bytes in and out for everybody.'

const primitiveRounds = { rounds: 21, warmUps: 2, budgetMs: 12_000, clock: 'processor' } as const
const peerRounds = { rounds: 5, warmUps: 1, budgetMs: 12_000, clock: 'processor' } as const
const msPerSecond = 1000
const bytesPerMegabyte = 1e6
const smallObjects = 1000
const peerSmallObjects = { ours: 500, theirs: 50 }

const ofPrimitives: Target = { atLeast: 0.85 }
const directions = ['seal', 'open'] as const

export async function runSeal(): Promise<readonly Row[]> {
  const large = await takeTurns(await largeContenders(), primitiveRounds)
  const small = await takeTurns(await smallContenders(smallObjects), primitiveRounds)
  const peers = await loadSealingPeers()
  const largePeers = await takeTurns(await largePeerContenders(peers), peerRounds)
  const smallPeers = await takeTurns(await smallPeerContenders(peers, peerSmallObjects), peerRounds)
  return [
    ...primitiveRows('64 MiB', large, megabytesASecond),
    ...primitiveRows('40 KB', small, microseconds),
    ...comparisons.flatMap(comparison => [
      ...peerRows('64 MiB', largePeers, comparison, megabytesASecond),
      ...peerRows('40 KB', smallPeers, comparison, microseconds),
    ]),
    ...opensslRows(),
  ]
}

interface Comparison {
  readonly title: string
  /** Which peers count: the fastest of those whose names begin like this. */
  readonly prefix: string
  readonly target: Target | null
}

const comparisons: readonly Comparison[] = [
  { title: 'AWS Encryption SDK, default', prefix: 'AWS Encryption SDK, default', target: { atLeast: 6 } },
  {
    title: 'AWS Encryption SDK, at its best',
    prefix: 'AWS Encryption SDK, unsigned',
    target: { atLeast: 1.8 },
  },
  { title: 'age-encryption', prefix: 'age-encryption', target: { atLeast: 6 } },
  { title: 'libsodium secretstream', prefix: 'libsodium secretstream', target: null },
]

function primitiveRows(size: string, samples: Samples, show: (msAUnit: number) => string): Row[] {
  return directions.map(direction => {
    const [ours, theirs] = [`we ${direction}`, `primitives ${direction}`]
    const detail = `${show(typical(samples, ours))} against ${show(typical(samples, theirs))}`
    return {
      name: `${direction} ${size}, against the primitives`,
      measured: speedRatio(samples, ours, theirs),
      unit: 'x',
      target: ofPrimitives,
      detail,
    }
  })
}

function peerRows(
  size: string,
  samples: Samples,
  { title, prefix, target }: Comparison,
  show: (msAUnit: number) => string,
): Row[] {
  return directions.map(direction => {
    const ours = `we ${direction}`
    const [best] = [...samples.keys()]
      .filter(name => name.startsWith(prefix) && name.includes(` ${direction}`))
      .sort((a, b) => typical(samples, a) - typical(samples, b))
    if (best === undefined) throw new RangeError(`nobody is called ${prefix}`)
    const variant = best.slice(prefix.length).replace(` ${direction}`, '').replace(/^, /, '')
    const how = variant === '' ? '' : ` (${variant})`
    return {
      name: `${direction} ${size}, against ${title}`,
      measured: speedRatio(samples, ours, best),
      unit: 'x',
      target,
      detail: `${show(typical(samples, ours))} against ${show(typical(samples, best))}${how}`,
    }
  })
}

const typical = (samples: Samples, name: string) => median(samplesOf(samples, name))

function megabytesASecond(msAByte: number): string {
  return `${Math.round(1 / msAByte / 1000).toLocaleString('en-US')} MB/s`
}

function microseconds(msAnObject: number): string {
  return `${Math.round(msAnObject * 1000)} us`
}

/** What the processor does outside of Node, where the system has an openssl to ask. */
function opensslRows(): Row[] {
  const ask = (algorithm: readonly string[]) => {
    const args = ['speed', '-mr', '-seconds', '1', '-bytes', String(256 * 1024), ...algorithm]
    const { stdout, status } = spawnSync('openssl', args, { encoding: 'utf8' })
    const bytesASecond = Number(/^\+F:\d+:[^:]*:([\d.]+)/m.exec(stdout ?? '')?.[1])
    return status === 0 && bytesASecond > 0 ? bytesASecond : null
  }
  const rows: Row[] = []
  for (const [name, algorithm] of [
    ['AES-256-GCM', ['-evp', 'aes-256-gcm']],
    ['SHA-256', ['-evp', 'sha256']],
  ] as const) {
    const bytesASecond = ask(algorithm)
    if (bytesASecond === null) continue
    const detail = `64 MiB would take ${Math.round((largeBytes / bytesASecond) * msPerSecond)} ms`
    const measured = bytesASecond / bytesPerMegabyte
    rows.push({ name: `openssl speed, ${name}, 256 KiB`, measured, unit: 'MB/s', target: null, detail })
  }
  return rows
}
