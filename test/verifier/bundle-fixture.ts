// Evidence bundles in memory, made from docs/evidence.md without any code that the vault makes them with.
import { createHash, type KeyObject } from 'node:crypto'
import { AuditEvent, encodeLeaf } from '@auricle/audit'
import { consistencyProof, frontierOf, inclusionProof, leafHash, rootOf } from './merkle.ts'
import { type Random, randomFrom } from './random.ts'
import {
  ed25519Key,
  type LogAlgorithm,
  logSigner,
  p256Key,
  type Signer,
  signedNote,
  witnessSigner,
} from './signing-keys.ts'
import { type Story, type StoryOptions, type TracedEvent, tellStory } from './story.ts'

export const logName = 'vault.example'
/** Of an id, behind its prefix and first digit. */
const idCharacters = 25
const sealedLateMs = 1_200_000
const anchoredAfterMsDefault = 10_000

export interface BundleOptions extends StoryOptions {
  readonly seed: number
  /** Leaf of the first log that the bundle begins with. */
  readonly first?: number
  readonly selection?: Readonly<Record<string, string>>
  /** Share of the leaves of which only the hash is shown. */
  readonly withheld?: number
  readonly showsPrivate?: boolean
  readonly witnesses?: number
  /** How many of them have to sign; `none` where it is 0. */
  readonly quorum?: number
  readonly anchor?: LogAlgorithm
  /** Leaves between checkpoints. */
  readonly checkpointEvery?: number
  /** How long after the newest event of a checkpoint it is anchored. */
  readonly anchoredAfterMs?: number
  /** Whether the policy names the keys of the tenant's logs, beside that of the anchor. */
  readonly namesLogKeys?: boolean
}

export interface Bundle {
  /** Without line feeds. */
  readonly lines: readonly string[]
  readonly policy: string
  /** Soon after it was made. */
  readonly at: Date
  readonly keys: Keys
  readonly story: Story
}

export interface Keys {
  readonly log: KeyObject
  readonly anchor: KeyObject
  readonly witnesses: readonly KeyObject[]
}

interface SealedLog {
  readonly origin: string
  readonly year: number
  readonly events: readonly TracedEvent[]
  readonly hashes: readonly Buffer[]
  readonly leaves: readonly Buffer[]
  readonly checkpoints: readonly { readonly size: number; readonly root: string; readonly note: string }[]
}

export function makeBundle(options: BundleOptions): Bundle {
  const random = randomFrom(options.seed)
  const keys: Keys = {
    log: ed25519Key(random),
    anchor: options.anchor === 'ecdsa-p256' ? p256Key() : ed25519Key(random),
    witnesses: Array.from({ length: options.witnesses ?? 0 }, () => ed25519Key(random)),
  }
  return bundleOf(tellStory(random, options), keys, options)
}

/** The bundle of a story, signed by `keys`: also of one that somebody has altered. */
export function bundleOf(story: Story, keys: Keys, options: BundleOptions): Bundle {
  const random = randomFrom(options.seed + 1)
  const logs = sealLogs(story, keys, options)
  const madeAt = new Date(Date.parse(anchoredAt(logs.at(-1)?.events ?? [])) + anchoredAfterMsDefault)
  const anchorSigner = logSigner(`${logName}/anchor`, keys.anchor)
  const witnesses = keys.witnesses.map((key, index) =>
    witnessSigner(`witness${index}.example`, key, Math.floor(madeAt.getTime() / 1000)),
  )
  const policy = policyOf(logs, keys, anchorSigner, witnesses, options)
  const lines = [
    JSON.stringify({
      type: 'header',
      format: 'auricle-evidence/1',
      tenant: story.tenant,
      madeAt: madeAt.toISOString(),
      selection: options.selection ?? {},
    }),
    JSON.stringify({ type: 'policy', text: policy }),
    ...logs.flatMap((log, index) => linesOfLog(log, index === 0 ? (options.first ?? 0) : 0, random, options)),
    ...linesOfAnchor(logs, anchorSigner, witnesses, random, options),
  ]
  lines.push(JSON.stringify({ type: 'end', lines: lines.length }))
  return { lines, policy, at: new Date(madeAt.getTime() + 60_000), keys, story }
}

export const bytesOf = (lines: readonly string[]): Buffer =>
  Buffer.from(lines.map(line => `${line}\n`).join(''))

function sealLogs(story: Story, keys: Keys, options: BundleOptions): SealedLog[] {
  const logs: SealedLog[] = []
  for (const { year, events: told } of story.years) {
    const before = logs.at(-1)
    const origin = `${logName}/t/${story.tenant}/${year}`
    const signer = logSigner(origin, keys.log)
    const events = [openingOf(story, told, before, signer), ...told]
    const leaves = events.map(({ event }) => Buffer.from(encodeLeaf(event)))
    const hashes = leaves.map(leafHash)
    const every = options.checkpointEvery ?? 25
    const sizes = hashes
      .map((_, index) => index + 1)
      .filter(size => size % every === 0 || size === hashes.length)
    const checkpoints = sizes.map(size => {
      const root = rootOf(hashes.slice(0, size)).toString('base64')
      return { size, root, note: signedNote(`${origin}\n${size}\n${root}\n`, [signer]) }
    })
    logs.push({ origin, year, events, hashes, leaves, checkpoints })
  }
  return logs
}

function openingOf(
  story: Story,
  told: readonly TracedEvent[],
  before: SealedLog | undefined,
  signer: Signer,
): TracedEvent {
  const [next] = told
  const last = before?.checkpoints.at(-1)
  const id = `evt_0${createHash('sha256').update(signer.name).digest('hex').slice(0, idCharacters)}`
  const event = AuditEvent.parse({
    v: 1,
    id,
    tenant: story.tenant,
    // It says when it was sealed, and what it comes before may have waited for that.
    at: new Date(Date.parse(next?.event.at ?? '') + sealedLateMs).toISOString(),
    action: 'log.opened',
    outcome: 'allowed',
    actor: { type: 'system', id: 'log', session: null },
    object: null,
    reasons: [],
    detail: {
      kind: 'opened',
      previous:
        before === undefined || last === undefined
          ? null
          : { origin: before.origin, size: last.size, root: last.root },
      keys: [signer.text],
    },
    request: null,
    private: null,
  })
  return { event, shown: null }
}

function linesOfLog(log: SealedLog, first: number, random: Random, options: BundleOptions): string[] {
  const prefix = frontierOf(log.hashes.slice(0, first)).map(hash => hash.toString('base64'))
  const lines = [JSON.stringify({ type: 'log', origin: log.origin, year: log.year, first, prefix })]
  for (const [seq, leaf] of log.leaves.entries()) {
    if (seq < first) continue
    const shown = log.events[seq]?.shown ?? null
    const hash = log.hashes[seq]?.toString('base64')
    if (random.chance(options.withheld ?? 0)) lines.push(JSON.stringify({ type: 'hash', seq, hash }))
    else if (shown !== null && (options.showsPrivate ?? true)) {
      lines.push(
        JSON.stringify({
          type: 'leaf',
          seq,
          leaf: leaf.toString('base64'),
          private: shown.toString('base64'),
        }),
      )
    } else lines.push(JSON.stringify({ type: 'leaf', seq, leaf: leaf.toString('base64') }))
    const checkpoint = log.checkpoints.find(({ size }) => size === seq + 1)
    if (checkpoint !== undefined) lines.push(JSON.stringify({ type: 'checkpoint', note: checkpoint.note }))
  }
  return lines
}

const anchoredAt = (events: readonly TracedEvent[], afterMs = anchoredAfterMsDefault): string =>
  new Date(
    events.reduce((latest, { event }) => Math.max(latest, Date.parse(event.at)), 0) + afterMs,
  ).toISOString()

/** Every checkpoint is anchored among entries of other tenants; the last one of each log is shown, and some others. */
function linesOfAnchor(
  logs: readonly SealedLog[],
  anchorSigner: Signer,
  witnesses: readonly Signer[],
  random: Random,
  options: BundleOptions,
): string[] {
  const leaves: Buffer[] = []
  const anchored: { origin: string; size: number; index: number }[] = []
  for (const log of logs) {
    for (const { size, root } of log.checkpoints) {
      const at = anchoredAt(log.events.slice(0, size), options.anchoredAfterMs)
      for (let others = random.int(4); others > 0; others--)
        leaves.push(Buffer.from(`auricle-anchor/1\n${at}\n`))
      const isShown = size === log.checkpoints.at(-1)?.size || random.chance(0.1)
      if (isShown) anchored.push({ origin: log.origin, size, index: leaves.length })
      leaves.push(Buffer.from(`auricle-anchor/1\n${at}\n${log.origin}\n${size}\n${root}\n`))
    }
  }
  const hashes = leaves.map(leafHash)
  const sizes = new Set([leaves.length])
  const lines = anchored.map(({ origin, size, index }) => {
    const anchorSize = index + 1 + random.int(leaves.length - index)
    sizes.add(anchorSize)
    const proof = inclusionProof(index, hashes.slice(0, anchorSize)).map(hash => hash.toString('base64'))
    const leaf = leaves[index]?.toString('base64')
    return JSON.stringify({ type: 'anchored', origin, size, index, leaf, proof, anchorSize })
  })
  const ordered = [...sizes].sort((a, b) => a - b)
  for (const [index, size] of ordered.entries()) {
    const from = ordered[index - 1]
    const tree = hashes.slice(0, size)
    if (from !== undefined) {
      const proof = consistencyProof(from, tree).map(hash => hash.toString('base64'))
      lines.push(JSON.stringify({ type: 'anchorConsistency', from, to: size, proof }))
    }
    const text = `${logName}/anchor\n${size}\n${rootOf(tree).toString('base64')}\n`
    lines.push(
      JSON.stringify({ type: 'anchorCheckpoint', note: signedNote(text, [anchorSigner, ...witnesses]) }),
    )
  }
  return lines
}

function policyOf(
  logs: readonly SealedLog[],
  keys: Keys,
  anchorSigner: Signer,
  witnesses: readonly Signer[],
  options: BundleOptions,
): string {
  const named =
    (options.namesLogKeys ?? true) ? logs.map(({ origin }) => logSigner(origin, keys.log).text) : []
  const names = witnesses.map((_, index) => `w${index}`)
  const quorum = options.quorum ?? 0
  return [
    '# Keys of a made-up vault',
    ...[...named, anchorSigner.text].map(text => `log ${text}`),
    ...witnesses.map(({ text }, index) => `witness ${names[index]} ${text} https://${names[index]}.example/`),
    ...(quorum > 0
      ? [`group all-of-them ${quorum} ${names.join(' ')}`, 'quorum all-of-them']
      : ['quorum none']),
    '',
  ].join('\n')
}
