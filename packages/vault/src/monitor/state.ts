// What the monitor remembers between its rounds and its lives, kept where the vault's administrators have no say: the
// states of the logs that it saw, how far it has read, and what it found.
import { fromBase64, toBase64 } from '@auricle/audit'
import { TenantId } from '@auricle/contract'
import { z } from 'zod'
import { findingNames } from './finding.ts'

const bytes = z.codec(z.base64(), z.instanceof(Uint8Array<ArrayBuffer>), {
  decode: text => fromBase64(text) ?? new Uint8Array(0),
  encode: value => toBase64(value),
})
const date = z.codec(z.iso.datetime({ precision: 3 }), z.date(), {
  decode: text => new Date(text),
  encode: value => value.toISOString(),
})
const size = z.int().min(0)
const Head = z.strictObject({ size, root: bytes })
export type Head = z.infer<typeof Head>

const Log = z.strictObject({
  tenantId: TenantId,
  year: z.int(),
  /** The newest that the log over all logs has of it. */
  anchored: Head.nullable(),
  /** The newest that the database had, and the root of its rows then. */
  seen: Head.nullable(),
  /** Leaves that were read once, in their order. */
  followed: size,
  /** Where reading everything again has come to. */
  scanned: size,
})
export type LogState = z.infer<typeof Log>

const Anchor = z.strictObject({
  origin: z.string(),
  size,
  root: bytes,
  /** Hashes of the perfect subtrees of `size`, the largest first. */
  frontier: bytes,
  /** The time of its newest leaf that has one. */
  newestAt: date.nullable(),
})
export type AnchorState = z.infer<typeof Anchor>

const Span = z.tuple([size, size]).readonly()
const Writer = z
  .strictObject({
    seen: z.array(Span).readonly(),
    hasStarted: z.boolean(),
    nextBeat: size,
    hasStopped: z.boolean(),
    eventAt: z.number(),
    owingAt: z.number().nullable(),
  })
  .readonly()
const Writers = z
  .strictObject({ isCounted: z.boolean(), writers: z.record(z.string(), Writer).readonly() })
  .readonly()

const Claim = z.strictObject({
  kind: z.enum(['use', 'receipt']),
  tenantId: z.string(),
  eventId: z.string(),
  /** Of a receipt. */
  leafHash: bytes.nullable(),
  /** Since when it is waited for. */
  since: date,
})
export type Claim = z.infer<typeof Claim>

const Uses = z.strictObject({ announced: size, counted: size })

const Finding = z.strictObject({
  name: z.enum(findingNames),
  code: z.string(),
  tenantId: z.string().nullable(),
  year: z.int().nullable(),
  seq: size.nullable(),
  eventId: z.string().nullable(),
  since: date,
  check: z.string(),
  foundAt: date.nullable(),
})

export const MonitorState = z
  .strictObject({
    v: z.literal(1),
    anchor: Anchor.nullable(),
    /** By origin. */
    logs: z.record(z.string(), Log),
    /** By tenant. */
    writers: z.record(z.string(), Writers),
    /** Since when each witness has given no state, or one that is behind; by the name of its key. */
    silentWitnesses: z.record(z.string(), date),
    /** How far each file of key uses and receipts was read, in bytes. */
    files: z.record(z.string(), size),
    /** What somebody said of an event that is not there yet. */
    claims: z.array(Claim).readonly(),
    /** By day, then tenant: events that announce the use of a key, and uses that a key service counted. */
    uses: z.record(z.string(), z.record(z.string(), Uses)),
    findings: z.array(Finding).readonly(),
  })
  .readonly()
export type MonitorState = z.infer<typeof MonitorState>

export const firstState: MonitorState = {
  v: 1,
  anchor: null,
  logs: {},
  writers: {},
  silentWitnesses: {},
  files: {},
  claims: [],
  uses: {},
  findings: [],
}

export const encodeState = (state: MonitorState): string =>
  `${JSON.stringify(z.encode(MonitorState, state), null, 1)}\n`

/** Throws where the text is none of ours. */
export const decodeState = (text: string): MonitorState => z.decode(MonitorState, JSON.parse(text))
