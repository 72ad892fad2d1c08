#!/usr/bin/env node
// @ts-check
// Decides whether an evidence bundle of an Auricle audit log holds: that its events are those the log was signed with,
// all of them, in their order. It trusts the keys of a policy file and nothing else: not the vault, not the bundle.
//
//   node auricle-verify.mjs BUNDLE --policy FILE [--json] [--at TIME] [--max-age-hours N] [--trust-bundled-policy]
//   node auricle-verify.mjs --certificate FILE --jwks FILE --policy FILE [--json]
//
// The second form decides the same of a certificate of destruction (docs/certificate.md).
// Exit code: 0 it holds, 1 it was tampered with, 2 it is incomplete, unsigned or stale, 3 it could not be tried.
//
// The rules are docs/evidence.md, in the same order. One file, Node 18 or newer, no dependencies, and on purpose none of
// the vault's own code: read it, then run it on a machine of yours. It reads once, from front to back, and keeps no events.
import * as crypto from 'node:crypto'
import { createReadStream, existsSync, readFileSync, realpathSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'

/** @typedef {'tampered' | 'missing' | 'gap' | 'unsigned' | 'stale'} FindingClass */
/** @typedef {'ok' | FindingClass} Verdict */
/**
 * @typedef {object} Finding
 * @property {FindingClass} class
 * @property {string} code A stable word; `sentences` says what it means.
 * @property {number} line From 1; 0 where the file as a whole is meant.
 * @property {string | null} origin Of which log.
 * @property {number | null} seq Which leaf; of a checkpoint its size.
 */
/** @typedef {{origin: string, first: number, size: number, root: string | null}} LogReport */
/** @typedef {{patient?: string, user?: string, recording?: string, from?: string, to?: string}} Selection */
/**
 * @typedef {object} Report
 * @property {Verdict} verdict
 * @property {'policy' | 'bundle' | 'nothing'} pinned Whose word the keys were taken on.
 * @property {Finding[]} findings By line. At most the first 1,000 found.
 * @property {LogReport[]} logs
 * @property {number} events Leaves that were shown.
 * @property {number} selected Of these, the ones the selection asks for.
 * @property {number} withheld Leaves of which only the hash was shown.
 * @property {string | null} tenant
 * @property {Selection} selection
 * @property {string | null} madeAt
 * @property {string | null} oldestAt Of the events shown.
 * @property {string | null} newestAt
 * @property {string | null} anchoredAt When the newest checkpoint was anchored.
 * @property {number} privateShown Private parts that were shown and are what the leaves commit to.
 * @property {Map<string, number>} byAction Of the selected events.
 * @property {Map<string, number>} byPerson
 * @property {string[]} signers Keys that signed and were trusted to.
 */
/**
 * @typedef {object} Options
 * @property {string | null} policy Text of the policy file; null without one.
 * @property {boolean} trustBundledPolicy Take the bundle's own word for the keys, where there is no policy.
 * @property {Date} at As of when the bundle has to be fresh.
 * @property {number} maxAgeHours
 */
/** @typedef {{name: string, id: string, type: number, key: Buffer}} VerifierKey */
/**
 * @typedef {object} Policy
 * @property {Map<string, VerifierKey>} logs By `name+id`.
 * @property {Map<string, VerifierKey>} witnesses
 * @property {Map<string, Rule>} rules
 * @property {string} quorum
 */
/** @typedef {{key: string} | {least: number, members: string[]}} Rule */
/** @typedef {{origin: string, size: number, root: string}} Head */

/** Worst first: the verdict is the first of these that was found. @type {readonly FindingClass[]} */
const classes = ['tampered', 'missing', 'gap', 'unsigned', 'stale']

const bundleFormat = 'auricle-evidence/1'
const leafPrefix = 'auricle-audit/1\n'
const anchorPrefix = 'auricle-anchor/1'
const lineBytesMost = 1_048_576
const leafBytesMost = 8192
const nestingMost = 64
const signaturesMost = 16
const findingsMost = 1000
/** Of a table in the report, and one more for the rest. */
const rowsMost = 10_000
/** How far the clocks of the vault's processes may lie apart. */
const clockToleranceMs = 600_000
/** After a beginning that is not the log's own: how long beats may speak of numbers that came before it. */
const openStartMs = 60_000
const hourMs = 3_600_000
const pieceBytes = 262_144

const anyId = /^[a-z]{3}_[0-7][0-9a-hjkmnp-tv-z]{25}$/
const logOrigin = /^([a-z0-9][a-z0-9.-]*)\/t\/(ten_[0-7][0-9a-hjkmnp-tv-z]{25})\/([1-9][0-9]{3})$/
const time = /^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/
const keyName = /^[!-*,-~]+$/
const loneSurrogate = /\p{Cs}/u

/** Members of each kind of line, in their order, beside `type`. Leaves and hashes have patterns of their own. */
const members = {
  header: ['format', 'tenant', 'madeAt', 'selection'],
  policy: ['text'],
  log: ['origin', 'year', 'first', 'prefix'],
  checkpoint: ['note'],
  anchored: ['origin', 'size', 'index', 'leaf', 'proof', 'anchorSize'],
  anchorCheckpoint: ['note'],
  anchorConsistency: ['from', 'to', 'proof'],
  end: ['lines'],
}

/**
 * Reads the bundle's bytes, packed with gzip or not, in pieces of any length. Throws `PolicyError` where the policy is
 * none; whatever is wrong with the bundle stands in the report.
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} pieces
 * @param {Options} options
 * @returns {Promise<Report>}
 */
export async function verifyBundle(pieces, options) {
  const verification = new Verification(options)
  const damage = await eachPiece(pieces, piece => verification.take(piece))
  return verification.report(damage)
}

/** The policy is not written as C2SP tlog-policy asks, or names keys of unknown kinds. */
export class PolicyError extends Error {
  /** @override */
  name = 'PolicyError'
}

/** A finding of the class `tampered`, which ends the reading: what stands behind it proves nothing. */
class Tampered extends Error {
  /**
   * @param {string} code
   * @param {{line?: number, origin?: string | null, seq?: number | null}} [place]
   */
  constructor(code, place = {}) {
    super(code)
    this.code = code
    this.place = place
  }
}

// ---- The bundle, line by line -----------------------------------------------------------------------------------------

class Verification {
  /** @param {Options} options */
  constructor(options) {
    this.options = options
    this.pinned = options.policy === null ? null : parsePolicy(options.policy)
    /** The keys that count: the pinned ones, else those of the bundle. @type {Policy | null} */
    this.policy = this.pinned
    this.lines = new LineSplitter(line => this.line(line))
    /** @type {'header' | 'policy' | 'logs' | 'log' | 'anchored' | 'anchors' | 'done'} */
    this.expects = 'header'
    this.stopped = false
    this.lineNumber = 0
    /** @type {Finding[]} */
    this.findings = []
    /** @type {Set<FindingClass>} */
    this.found = new Set()

    /** @type {string | null} */
    this.tenant = null
    /** @type {string | null} */
    this.madeAt = null
    /** @type {Selection} */
    this.selection = {}
    /** @type {string | null} */
    this.logName = null
    /** @type {LogState[]} */
    this.logs = []
    /** Root and newest time of each checkpoint, by origin and size. @type {Map<string, {root: string, newest: string | null}>} */
    this.heads = new Map()
    /** Whether numbers can be judged: not after a leaf that is withheld or missing. */
    this.counts = true
    this.counters = new Counters((code, place) => this.find('gap', code, place))
    /** Roots that inclusion proofs led to and no anchor checkpoint has confirmed yet, by size. @type {Map<number, {root: string, line: number, origin: string, seq: number}[]>} */
    this.anchorRoots = new Map()
    /** @type {{size: number, root: string, line: number, cosigners: Set<string>} | null} */
    this.anchor = null
    /** @type {{to: number, proof: Buffer[]} | null} */
    this.consistency = null

    this.events = 0
    this.selected = 0
    this.withheld = 0
    this.privateShown = 0
    /** @type {string | null} */
    this.oldestAt = null
    /** @type {string | null} */
    this.newestAt = null
    /** @type {string | null} */
    this.anchoredAt = null
    /** @type {Map<string, number>} */
    this.byAction = new Map()
    /** @type {Map<string, number>} */
    this.byPerson = new Map()
    /** @type {Set<string>} */
    this.signers = new Set()
  }

  /** Returns whether there is any use in more. @param {Uint8Array} piece */
  take(piece) {
    if (!this.stopped) this.lines.push(piece)
    return !this.stopped
  }

  /**
   * @param {FindingClass} kind
   * @param {string} code
   * @param {{line?: number, origin?: string | null, seq?: number | null}} [place]
   */
  find(kind, code, { line = this.lineNumber, origin = null, seq = null } = {}) {
    this.found.add(kind)
    // What is not there cannot be counted either.
    if (kind === 'missing') this.counts = false
    if (this.findings.length < findingsMost) this.findings.push({ class: kind, code, line, origin, seq })
  }

  /**
   * Returns whether to go on.
   * @param {Buffer | null} line Without its line feed; null for one that is too long.
   */
  line(line) {
    this.lineNumber++
    try {
      if (line === null) throw new Tampered('bad_line')
      this.readLine(line)
    } catch (error) {
      if (!(error instanceof Tampered)) throw error
      this.find('tampered', error.code, error.place)
      this.stopped = true
    }
    return !this.stopped
  }

  /** @param {Buffer} line */
  readLine(line) {
    // A line begins with its type, and these two kinds are nearly all there is.
    const start = line.toString('latin1', 0, 14)
    if (start === '{"type":"leaf"') return this.readLeaf(line.toString('latin1'))
    if (start === '{"type":"hash"') return this.readHash(line.toString('latin1'))
    const value = parseLine(line)
    switch (value.type) {
      case 'header':
        return this.readHeader(value)
      case 'policy':
        return this.readPolicy(value)
      case 'log':
        return this.readLog(value)
      case 'checkpoint':
        return this.readCheckpoint(value)
      case 'anchored':
        return this.readAnchored(value)
      case 'anchorCheckpoint':
        return this.readAnchorCheckpoint(value)
      case 'anchorConsistency':
        return this.readAnchorConsistency(value)
      default:
        return this.readEnd(value)
    }
  }

  /** @param {any} value */
  readHeader({ format, tenant, madeAt, selection }) {
    if (format !== bundleFormat || !isId(tenant, 'ten') || !isTime(madeAt)) throw new Tampered('bad_line')
    if (!isSelection(selection)) throw new Tampered('bad_line')
    if (this.expects !== 'header') throw new Tampered('order')
    this.tenant = tenant
    this.madeAt = madeAt
    this.selection = selection
    this.expects = 'policy'
  }

  /** @param {any} value */
  readPolicy({ text }) {
    if (typeof text !== 'string') throw new Tampered('bad_line')
    if (this.expects !== 'policy') throw new Tampered('order')
    let bundled
    try {
      bundled = parsePolicy(text)
    } catch (error) {
      if (error instanceof PolicyError) throw new Tampered('bad_policy')
      throw error
    }
    if (this.policy === null) {
      this.policy = bundled
      if (!this.options.trustBundledPolicy) this.find('unsigned', 'not_pinned')
    }
    this.expects = 'logs'
  }

  /** @param {any} value */
  readLog({ origin, year, first, prefix }) {
    if (typeof origin !== 'string' || !isCount(year) || !isCount(first)) throw new Tampered('bad_line')
    const hashes = decodeHashes(prefix)
    if (hashes.length !== onesOf(first)) throw new Tampered('bad_line')
    if (this.expects !== 'logs' && this.expects !== 'log') throw new Tampered('order')
    this.closeLog()
    const [, name, tenant, originYear] = logOrigin.exec(origin) ?? []
    if (origin.length > 255 || tenant !== this.tenant || Number(originYear) !== year) {
      throw new Tampered('origin', { origin })
    }
    if (this.logName !== null && this.logName !== name) throw new Tampered('origin', { origin })
    const before = this.logs.at(-1)
    if (before !== undefined && year <= before.year) throw new Tampered('order')
    if (before !== undefined && first > 0) this.find('missing', 'log_start', { origin, seq: 0 })
    this.logName = name ?? null
    this.logs.push(new LogState(origin, year, first, hashes))
    this.expects = 'log'
  }

  /** The log whose leaves are being read. */
  log() {
    const log = this.logs.at(-1)
    if (this.expects !== 'log' || log === undefined) throw new Tampered('order')
    return log
  }

  /** @param {string} line */
  readLeaf(line) {
    const { seq, text, rest } = splitNumbered(line, 'leaf')
    const leaf = decodeBase64(text)
    const shown = rest === '' ? null : decodeBase64(privateOf(rest))
    const log = this.log()
    this.takeSeq(log, seq)
    const { origin } = log
    const event = parseLeaf(leaf, { origin, seq })
    if (event.tenant !== this.tenant) throw new Tampered('tenant', { origin, seq })
    if (shown !== null) {
      if (event.private !== `sha256:${sha256(shown).toString('hex')}`)
        throw new Tampered('private', { origin, seq })
      this.privateShown++
    }
    if (log.isWhole) log.append(leafHash(leaf))

    this.events++
    if (this.oldestAt === null || event.at < this.oldestAt) this.oldestAt = event.at
    if (this.newestAt === null || event.at > this.newestAt) this.newestAt = event.at
    if (isSelected(event, this.selection)) {
      this.selected++
      addOne(this.byAction, event.action)
      addOne(this.byPerson, `${event.actor.type} ${event.actor.id}`)
    }
    if (seq === log.first) {
      log.firstAt = event.at
      if (this.logs.length === 1) this.counters.beginOpenly(event.at)
    }
    if (event.action === 'log.opened' || (seq === 0 && log.first === 0)) this.readOpening(log, seq, event)
    this.counters.take(event, { line: this.lineNumber, origin, seq }, this.counts)
  }

  /** @param {string} line */
  readHash(line) {
    const { seq, text, rest } = splitNumbered(line, 'hash')
    const hash = decodeBase64(text)
    if (hash.length !== 32 || rest !== '') throw new Tampered('bad_line')
    const log = this.log()
    this.takeSeq(log, seq)
    if (log.isWhole) log.append(hash)
    this.withheld++
    this.counts = false
  }

  /**
   * @param {LogState} log
   * @param {number} seq
   */
  takeSeq(log, seq) {
    if (seq < log.next) throw new Tampered('order')
    if (seq > log.next) this.missLeaf(log)
    log.next = seq + 1
    log.isClosed = false
  }

  /** @param {LogState} log */
  missLeaf(log) {
    this.find('missing', 'leaf', { origin: log.origin, seq: log.next })
    log.isWhole = false
  }

  /**
   * The first leaf of a log says what the log of the year before ended with.
   * @param {LogState} log
   * @param {number} seq
   * @param {any} event
   */
  readOpening(log, seq, event) {
    const place = { origin: log.origin, seq }
    if (seq !== 0 || event.action !== 'log.opened') throw new Tampered('opening', place)
    const { previous } = event.detail
    const before = this.logs.at(-2)
    if (previous === null) {
      if (before !== undefined) throw new Tampered('opening', place)
      log.isVeryFirst = true
      this.counters.beginStrictly()
      return
    }
    const [, name, tenant, year] = logOrigin.exec(previous.origin) ?? []
    if (name !== this.logName || tenant !== this.tenant || Number(year) >= log.year)
      throw new Tampered('opening', place)
    if (before === undefined) return
    if (Number(year) < before.year) throw new Tampered('opening', place)
    if (Number(year) > before.year) return this.find('missing', 'year', place)
    if (before.root === null) return
    if (previous.size > before.size) return this.find('missing', 'year_end', place)
    if (previous.size < before.size || previous.root !== before.root) throw new Tampered('year_root', place)
  }

  /** @param {any} value */
  readCheckpoint({ note }) {
    if (typeof note !== 'string') throw new Tampered('bad_line')
    const log = this.log()
    const { origin } = log
    const parsed = parseNote(note)
    const head = parseCheckpoint(parsed.text)
    if (head.origin !== origin) throw new Tampered('origin', { origin, seq: head.size })
    if (head.size <= log.size || head.size < log.next) throw new Tampered('order')
    const place = { origin, seq: head.size }
    const named = new Map([...(this.policy?.logs ?? [])].filter(([, key]) => key.name === origin))
    const by = this.signersOf(parsed, named, place)
    // Where the policy names no key of this log, the log rests on the anchor that holds its checkpoint.
    if (named.size > 0 && by.size === 0) this.find('unsigned', 'checkpoint_unsigned', place)
    if (head.size > log.next) this.missLeaf(log)
    if (log.isWhole && log.tree.root().toString('base64') !== head.root) throw new Tampered('root', place)
    log.next = head.size
    log.size = head.size
    log.root = head.root
    log.isClosed = true
    this.heads.set(`${origin} ${head.size}`, { root: head.root, newest: this.newestAt })
  }

  closeLog() {
    const log = this.logs.at(-1)
    if (this.expects === 'log' && log !== undefined && !log.isClosed) {
      this.find('missing', 'checkpoint', { origin: log.origin, seq: log.next })
    }
  }

  /** @param {any} value */
  readAnchored({ origin, size, index, leaf, proof, anchorSize }) {
    if (typeof origin !== 'string' || !isCount(size) || !isCount(index) || !isCount(anchorSize)) {
      throw new Tampered('bad_line')
    }
    if (typeof leaf !== 'string') throw new Tampered('bad_line')
    const leafBytes = decodeBase64(leaf)
    const hashes = decodeHashes(proof)
    if (this.expects !== 'log' && this.expects !== 'anchored') throw new Tampered('order')
    this.closeLog()
    this.expects = 'anchored'

    const place = { origin, seq: size }
    const log = this.logs.find(candidate => candidate.origin === origin)
    const anchored = parseAnchorLeaf(leafBytes)
    if (log === undefined || anchored === null || anchored.origin !== origin || anchored.size !== size) {
      throw new Tampered('anchor_leaf', place)
    }
    const head = this.heads.get(`${origin} ${size}`)
    if (head === undefined) this.find('missing', 'checkpoint', place)
    else if (head.root !== anchored.root) throw new Tampered('fork', place)
    const root = rootByInclusion(index, anchorSize, leafHash(leafBytes), hashes)
    if (root === null) throw new Tampered('anchor_proof', place)
    const roots = this.anchorRoots.get(anchorSize) ?? []
    roots.push({ root: root.toString('base64'), line: this.lineNumber, ...place })
    this.anchorRoots.set(anchorSize, roots)

    if (size === log.size) log.isAnchored = true
    if (this.anchoredAt === null || anchored.at > this.anchoredAt) this.anchoredAt = anchored.at
    if (
      head !== undefined &&
      head.newest !== null &&
      toMs(head.newest) - toMs(anchored.at) > clockToleranceMs
    ) {
      this.find('gap', 'time_ahead', place)
    }
  }

  /** @param {any} value */
  readAnchorConsistency({ from, to, proof }) {
    if (!isCount(from) || !isCount(to)) throw new Tampered('bad_line')
    const hashes = decodeHashes(proof)
    if (this.anchor === null || this.consistency !== null || from !== this.anchor.size || to <= from) {
      throw new Tampered('order')
    }
    if (this.expects !== 'anchors') throw new Tampered('order')
    this.consistency = { to, proof: hashes }
  }

  /** @param {any} value */
  readAnchorCheckpoint({ note }) {
    if (typeof note !== 'string') throw new Tampered('bad_line')
    if (this.expects !== 'log' && this.expects !== 'anchored' && this.expects !== 'anchors')
      throw new Tampered('order')
    this.closeLog()
    this.expects = 'anchors'
    const parsed = parseNote(note)
    const head = parseCheckpoint(parsed.text)
    const origin = `${this.logName}/anchor`
    const place = { origin, seq: head.size }
    if (head.origin !== origin) throw new Tampered('origin', place)
    const { anchor, consistency } = this
    if (anchor !== null && head.size <= anchor.size) throw new Tampered('order')
    if (consistency !== null && consistency.to !== head.size) throw new Tampered('order')

    const named = new Map([...(this.policy?.logs ?? [])].filter(([, key]) => key.name === origin))
    const by = this.signersOf(parsed, named, place)
    const cosigners = this.signersOf(parsed, this.policy?.witnesses ?? new Map(), place)
    if (by.size === 0) this.find('unsigned', 'anchor_unsigned', place)
    if (anchor !== null && consistency === null) this.find('missing', 'anchor_consistency', place)
    if (anchor !== null && consistency !== null && !isConsistent(anchor, head, consistency.proof)) {
      throw new Tampered('consistency', place)
    }
    for (const claim of this.anchorRoots.get(head.size) ?? []) {
      if (claim.root !== head.root) throw new Tampered('anchor_proof', claim)
    }
    this.anchorRoots.delete(head.size)
    this.anchor = { size: head.size, root: head.root, line: this.lineNumber, cosigners }
    this.consistency = null
  }

  /**
   * Which of `keys` signed. A line in the name of one of them that is not its own is no oversight.
   * @param {{text: string, signatures: {name: string, id: string, payload: Buffer}[]}} note
   * @param {Map<string, VerifierKey>} keys
   * @param {{origin: string, seq: number}} place
   */
  signersOf(note, keys, place) {
    /** @type {Set<string>} */
    const by = new Set()
    for (const { name, id, payload } of note.signatures) {
      const key = keys.get(`${name}+${id}`)
      if (key === undefined) continue
      if (!isSignature(key, note.text, payload)) throw new Tampered('bad_signature', place)
      by.add(`${name}+${id}`)
      this.signers.add(`${name}+${id}`)
    }
    return by
  }

  /** @param {any} value */
  readEnd({ lines }) {
    if (!isCount(lines)) throw new Tampered('bad_line')
    if (this.expects === 'header' || this.expects === 'policy' || this.expects === 'done')
      throw new Tampered('order')
    if (this.consistency !== null) throw new Tampered('order')
    this.closeLog()
    this.expects = 'done'
    if (lines !== this.lineNumber - 1) this.find('missing', 'lines')
    this.judgeWhole()
  }

  /** What can be said only when everything was read. */
  judgeWhole() {
    const [first] = this.logs
    if (first === undefined) return this.find('missing', 'log')
    if (this.counts) this.counters.judgeWhole()
    for (const { origin, size, root, isAnchored } of this.logs) {
      if (root !== null && !isAnchored) this.find('missing', 'anchored', { origin, seq: size })
    }
    for (const [{ line, origin, seq }] of /** @type {any[][]} */ ([...this.anchorRoots.values()])) {
      this.find('missing', 'anchor_checkpoint', { line, origin, seq })
    }
    const { anchor, policy } = this
    if (anchor !== null && policy !== null && !meets(policy, policy.quorum, anchor.cosigners)) {
      this.find('unsigned', 'quorum', {
        line: anchor.line,
        origin: `${this.logName}/anchor`,
        seq: anchor.size,
      })
    }
    if (first.firstAt !== null && !this.coversStart(first, first.firstAt))
      this.find('missing', 'selection_start')
    if (this.anchoredAt === null) return
    const atMs = this.options.at.getTime()
    const { to } = this.selection
    if (to !== undefined && toMs(to) <= atMs && this.anchoredAt < to) this.find('missing', 'selection_end')
    if (atMs - toMs(this.anchoredAt) > this.options.maxAgeHours * hourMs) this.find('stale', 'old')
  }

  /**
   * Whether nothing that the selection asks for can stand before the first leaf shown.
   * @param {LogState} log
   * @param {string} firstAt
   */
  coversStart(log, firstAt) {
    const { from } = this.selection
    if (log.isVeryFirst) return true
    if (from === undefined) return false
    // An event stands in the log of the year it was sealed in, so none of this year is in an earlier log.
    if (log.first === 0 && from >= `${log.year}-01-01T00:00:00.000Z`) return true
    return toMs(from) - toMs(firstAt) >= clockToleranceMs
  }

  forget() {
    this.findings = []
    this.found.clear()
    this.logs = []
    this.events = 0
    this.selected = 0
    this.withheld = 0
    this.privateShown = 0
    this.byAction.clear()
    this.byPerson.clear()
  }

  /**
   * @param {'gzip' | 'gzip_cut' | null} damage
   * @returns {Report}
   */
  report(damage) {
    if (damage !== null) {
      // How much of a damaged file can be unpacked depends on the program that tries, so nothing of it is believed.
      this.forget()
      this.find(damage === 'gzip' ? 'tampered' : 'missing', damage, { line: 0 })
    } else if (!this.stopped) {
      this.lineNumber++
      if (this.lines.hasRest()) this.find('missing', 'cut')
      else if (this.expects !== 'done') this.find('missing', 'end')
    }
    const isPinned = this.pinned !== null
    return {
      verdict: classes.find(kind => this.found.has(kind)) ?? 'ok',
      pinned: isPinned ? 'policy' : this.options.trustBundledPolicy ? 'bundle' : 'nothing',
      findings: this.findings
        .map((finding, order) => ({ finding, order }))
        .sort((a, b) => a.finding.line - b.finding.line || a.order - b.order)
        .map(({ finding }) => finding),
      logs: this.logs.map(({ origin, first, size, root }) => ({ origin, first, size, root })),
      events: this.events,
      selected: this.selected,
      withheld: this.withheld,
      tenant: this.tenant,
      selection: this.selection,
      madeAt: this.madeAt,
      oldestAt: this.oldestAt,
      newestAt: this.newestAt,
      anchoredAt: this.anchoredAt,
      privateShown: this.privateShown,
      byAction: this.byAction,
      byPerson: this.byPerson,
      signers: [...this.signers],
    }
  }
}

/** What is known of one log while it is read. */
class LogState {
  /**
   * @param {string} origin
   * @param {number} year
   * @param {number} first
   * @param {Buffer[]} prefix
   */
  constructor(origin, year, first, prefix) {
    this.origin = origin
    this.year = year
    this.first = first
    this.next = first
    /** Of the last checkpoint. */
    this.size = first
    /** @type {string | null} */
    this.root = null
    this.tree = new Tree(first, prefix)
    /** Whether every leaf so far was there, so that the tree can be made again. */
    this.isWhole = true
    /** Whether the last line was a checkpoint. */
    this.isClosed = false
    this.isAnchored = false
    /** Whether it says that there is none before it. */
    this.isVeryFirst = false
    /** @type {string | null} */
    this.firstAt = null
  }

  /** @param {Buffer} hash */
  append(hash) {
    this.tree.append(hash)
  }
}

// ---- Counting: whether an event is missing that was never sealed ------------------------------------------------------

/** Numbers of writers, their beats, and the order of times. */
class Counters {
  /** @param {(code: string, place: {line: number, origin: string, seq: number}) => void} find */
  constructor(find) {
    this.find = find
    /** @type {Map<string, {seen: Numbers, beats: Numbers, topBeat: number | null, isStarted: boolean}>} */
    this.writers = new Map()
    /** Until when beats may speak of what came before the first leaf; null where nothing did. @type {number | null} */
    this.openUntilMs = null
    /** Beats that were passed over. @type {{beats: Numbers, from: number, to: number, place: any}[]} */
    this.skipped = []
    /** Events whose time goes back too far, by id, until they are said to be late. @type {Map<string, any[]>} */
    this.backwards = new Map()
    /** @type {string | null} */
    this.newest = null
  }

  /** @param {string} firstAt */
  beginOpenly(firstAt) {
    this.openUntilMs = toMs(firstAt) + openStartMs
  }

  beginStrictly() {
    this.openUntilMs = null
  }

  /**
   * @param {any} event
   * @param {{line: number, origin: string, seq: number}} place
   * @param {boolean} isJudged
   */
  take(event, place, isJudged) {
    if (event.writer === undefined) {
      const isOfSequencer =
        event.action === 'log.opened' && event.actor.type === 'system' && event.actor.id === 'log'
      if (this.writers.size > 0 && !isOfSequencer) this.find('uncounted', place)
    } else {
      this.takeNumber(event, place, isJudged)
    }
    this.takeTime(event, place)
  }

  /**
   * @param {any} event
   * @param {{line: number, origin: string, seq: number}} place
   * @param {boolean} isJudged
   */
  takeNumber(event, place, isJudged) {
    const { id, n } = event.writer
    let writer = this.writers.get(id)
    if (writer === undefined) {
      writer = { seen: new Numbers(), beats: new Numbers(), topBeat: null, isStarted: false }
      this.writers.set(id, writer)
    }
    if (!writer.seen.add(n)) this.find('number_repeated', place)
    if (event.action === 'writer.started') writer.isStarted = true
    if (event.action !== 'writer.heartbeat' && event.action !== 'writer.stopped') return

    const { beat, acknowledged } = event.detail
    const atMs = toMs(event.at)
    const isOpen = this.openUntilMs !== null && atMs < this.openUntilMs
    // Of who was there before the first leaf, the first beat names what came before it too, at least the beat before.
    let leastJudged = 0
    if (writer.topBeat === null) {
      const mayBegin = writer.isStarted || (this.openUntilMs !== null && (beat > 0 || isOpen))
      if (isJudged && !mayBegin) this.find('start', place)
      const isFromBefore = this.openUntilMs !== null && !writer.isStarted
      writer.topBeat = isFromBefore ? beat - 1 : -1
      if (isFromBefore) leastJudged = at(writer.seen.firsts, 0)
    }
    if (!writer.beats.add(beat)) this.find('beat_repeated', place)
    if (beat > writer.topBeat + 1) {
      this.skipped.push({ beats: writer.beats, from: writer.topBeat + 1, to: beat - 1, place })
    }
    writer.topBeat = Math.max(writer.topBeat, beat)
    const isThere = (/** @type {[number, number]} */ [from, to]) =>
      to < leastJudged || writer.seen.hasAll(Math.max(from, leastJudged), to)
    if (isJudged && !isOpen && !acknowledged.every(isThere)) {
      this.find('number', place)
    }
  }

  /**
   * @param {any} event
   * @param {{line: number, origin: string, seq: number}} place
   */
  takeTime({ id, at, action, detail }, place) {
    // It says when the log was begun; what it stands before may have waited for that.
    if (action === 'log.opened') return
    if (this.newest === null || at >= this.newest) this.newest = at
    else if (toMs(this.newest) - toMs(at) > clockToleranceMs) {
      const places = this.backwards.get(id) ?? []
      places.push(place)
      this.backwards.set(id, places)
    }
    if (action === 'log.reconciled') for (const late of detail.events) this.backwards.delete(late)
  }

  judgeWhole() {
    for (const { beats, from, to, place } of this.skipped)
      if (!beats.hasAll(from, to)) this.find('beat', place)
    for (const place of [...this.backwards.values()].flat()) this.find('time', place)
  }
}

/** A set of numbers, kept as runs: numbers mostly come one after another. */
class Numbers {
  constructor() {
    /** @type {number[]} */
    this.firsts = []
    /** @type {number[]} */
    this.lasts = []
  }

  /** Which run begins at or before `n`; -1 for none. @param {number} n */
  runOf(n) {
    let low = 0
    let high = this.firsts.length
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (at(this.firsts, middle) <= n) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Returns false where it is there already. @param {number} n */
  add(n) {
    const { firsts, lasts } = this
    const run = this.runOf(n)
    if (run >= 0 && n <= at(lasts, run)) return false
    const joinsBefore = run >= 0 && at(lasts, run) === n - 1
    const joinsAfter = run + 1 < firsts.length && at(firsts, run + 1) === n + 1
    if (joinsBefore && joinsAfter) {
      lasts[run] = at(lasts, run + 1)
      firsts.splice(run + 1, 1)
      lasts.splice(run + 1, 1)
    } else if (joinsBefore) lasts[run] = n
    else if (joinsAfter) firsts[run + 1] = n
    else {
      firsts.splice(run + 1, 0, n)
      lasts.splice(run + 1, 0, n)
    }
    return true
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  hasAll(from, to) {
    const run = this.runOf(from)
    return run >= 0 && to <= at(this.lasts, run)
  }
}

// ---- The event in a leaf ----------------------------------------------------------------------------------------------

/**
 * The event of a leaf: the version line, then JSON in its one spelling (RFC 8785) with the members that are read here.
 * @param {Buffer} leaf
 * @param {{origin: string, seq: number}} place
 * @returns {any}
 */
function parseLeaf(leaf, place) {
  const event = leaf.length > leafBytesMost ? null : parseCanonical(leaf, leafPrefix)
  if (event === null || !isEvent(event)) throw new Tampered('bad_leaf', place)
  return event
}

/**
 * The JSON behind the prefix, where it is in its one spelling; else null.
 * @param {Buffer} bytes
 * @param {string} prefix
 */
function parseCanonical(bytes, prefix) {
  try {
    const text = decodeUtf8(bytes)
    if (!text.startsWith(prefix)) return null
    const json = text.slice(prefix.length)
    const value = JSON.parse(json)
    // Node writes what it read with members in the order they stood, each once, in the shortest spelling. So the same
    // text means: nothing doubled, no white space, no other escapes. What that leaves open `isCanonical` looks at.
    return JSON.stringify(value) === json && isCanonical(value, 1) ? value : null
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return null
    throw error
  }
}

/** Names that were found to be well formed; there are few. @type {Set<string>} */
const goodNames = new Set()
const goodNamesMost = 1000

/**
 * Whether names are letters and digits in ascending order, numbers safe integers, and strings whole.
 * @param {unknown} value
 * @param {number} depth
 * @returns {boolean}
 */
function isCanonical(value, depth) {
  if (typeof value === 'string') return !loneSurrogate.test(value)
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth > nestingMost) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isCanonical(item, depth + 1)) return false
    return true
  }
  let before = ''
  for (const name in value) {
    if (name <= before || !isGoodName(name)) return false
    before = name
    const member = /** @type {any} */ (value)[name]
    if (!isCanonical(member, depth + 1)) return false
  }
  return true
}

/** @param {string} name */
function isGoodName(name) {
  if (goodNames.has(name)) return true
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) return false
  if (goodNames.size < goodNamesMost) goodNames.add(name)
  return true
}

/** @param {any} event */
function isEvent(event) {
  if (!isObject(event) || event.v !== 1 || !isTime(event.at)) return false
  const { actor, object, patients, writer, detail } = event
  if (typeof event.id !== 'string' || typeof event.tenant !== 'string' || typeof event.action !== 'string')
    return false
  if (!isObject(actor) || typeof actor.type !== 'string' || typeof actor.id !== 'string') return false
  if (object !== null && !(isObject(object) && typeof object.id === 'string')) return false
  if (patients !== undefined && !isStrings(patients)) return false
  if (writer !== undefined && !(isObject(writer) && typeof writer.id === 'string' && isCount(writer.n)))
    return false
  if (event.private !== null && typeof event.private !== 'string') return false
  if (detail !== undefined && !(isObject(detail) && typeof detail.kind === 'string')) return false
  switch (event.action) {
    case 'writer.started':
      return writer !== undefined
    case 'writer.heartbeat':
    case 'writer.stopped':
      return (
        writer !== undefined &&
        detail?.kind === 'beat' &&
        isCount(detail.beat) &&
        isSpans(detail.acknowledged)
      )
    case 'log.reconciled':
      return detail?.kind === 'reconciled' && isStrings(detail.events)
    case 'log.opened':
      return detail?.kind === 'opened' && (detail.previous === null || isRoot(detail.previous))
    default:
      return true
  }
}

/** @param {any} value */
const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

/** @param {any} value */
const isStrings = value => Array.isArray(value) && value.every(item => typeof item === 'string')

/** @param {any} value */
const isSpans = value =>
  Array.isArray(value) &&
  value.every(
    span =>
      Array.isArray(span) && span.length === 2 && isCount(span[0]) && isCount(span[1]) && span[0] <= span[1],
  )

/** @param {any} value */
const isRoot = value =>
  isObject(value) && typeof value.origin === 'string' && isCount(value.size) && typeof value.root === 'string'

/**
 * @param {any} event
 * @param {Selection} selection
 */
function isSelected({ actor, object, patients, at }, { patient, user, recording, from, to }) {
  if (patient !== undefined && patients?.includes(patient) !== true) return false
  if (user !== undefined && actor.id !== user) return false
  if (recording !== undefined && object?.id !== recording) return false
  return (from === undefined || at >= from) && (to === undefined || at < to)
}

// ---- The Merkle tree (RFC 6962) ---------------------------------------------------------------------------------------

const one = Buffer.of(1)

/** @param {Buffer} leaf */
function leafHash(leaf) {
  const marked = Buffer.allocUnsafe(leaf.length + 1)
  marked[0] = 0
  leaf.copy(marked, 1)
  return sha256(marked)
}

/**
 * @param {Buffer} left
 * @param {Buffer} right
 */
const nodeHash = (left, right) => sha256(Buffer.concat([one, left, right]))

/** A tree that grows to the right: of each perfect subtree only its root is kept. */
class Tree {
  /**
   * @param {number} size
   * @param {Buffer[]} hashes Roots of the perfect subtrees of `size` leaves, largest first.
   */
  constructor(size, hashes) {
    this.size = size
    this.hashes = [...hashes]
  }

  /** @param {Buffer} hash */
  append(hash) {
    let right = hash
    for (let size = this.size; size % 2 === 1; size = (size - 1) / 2) {
      right = nodeHash(/** @type {Buffer} */ (this.hashes.pop()), right)
    }
    this.hashes.push(right)
    this.size++
  }

  root() {
    const [last = sha256(Buffer.alloc(0)), ...others] = [...this.hashes].reverse()
    return others.reduce((right, left) => nodeHash(left, right), last)
  }
}

/**
 * The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); null for a proof of another shape.
 * @param {number} index
 * @param {number} size
 * @param {Buffer} leaf
 * @param {Buffer[]} proof
 */
function rootByInclusion(index, size, leaf, proof) {
  if (index >= size) return null
  let position = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return null
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash)
      while (position % 2 === 0 && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    position = half(position)
    last = half(last)
  }
  return last === 0 ? hash : null
}

/**
 * Whether the larger tree begins with the smaller one (RFC 9162 section 2.1.4.2). The sizes differ and are not zero.
 * @param {{size: number, root: string}} from
 * @param {{size: number, root: string}} to
 * @param {Buffer[]} proof
 */
function isConsistent(from, to, proof) {
  const fromRoot = Buffer.from(from.root, 'base64')
  const [first, ...others] = isPowerOfTwo(from.size) ? [fromRoot, ...proof] : proof
  if (from.size === 0 || proof.length === 0 || first === undefined) return false
  let position = from.size - 1
  let last = to.size - 1
  while (position % 2 === 1) {
    position = half(position)
    last = half(last)
  }
  let older = first
  let newer = first
  for (const hash of others) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      older = nodeHash(hash, older)
      newer = nodeHash(hash, newer)
      while (position % 2 === 0 && position !== 0) {
        position = half(position)
        last = half(last)
      }
    } else {
      newer = nodeHash(newer, hash)
    }
    position = half(position)
    last = half(last)
  }
  return last === 0 && older.equals(fromRoot) && newer.toString('base64') === to.root
}

/** Sizes go beyond the 32 bits that bit operators have. @param {number} n */
const half = n => Math.floor(n / 2)

/** @param {number} n */
function onesOf(n) {
  let ones = 0
  for (let rest = n; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

/** @param {number} n */
const isPowerOfTwo = n => onesOf(n) === 1

// ---- Signed notes, checkpoints, the anchor's leaves (C2SP signed-note, tlog-checkpoint, tlog-cosignature) -------------

/** @param {string} note */
function parseNote(note) {
  const separator = note.lastIndexOf('\n\n')
  if (separator === -1 || !note.endsWith('\n') || hasControl(note)) throw new Tampered('bad_note')
  const lines = note.slice(separator + 2, -1).split('\n')
  if (lines.length > signaturesMost) throw new Tampered('bad_note')
  const signatures = lines.map(line => {
    const [, name = '', encoded = ''] = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? []
    const bytes = Buffer.from(encoded, 'base64')
    if (!keyName.test(name) || bytes.toString('base64') !== encoded || bytes.length <= 4)
      throw new Tampered('bad_note')
    return { name, id: bytes.toString('hex', 0, 4), payload: bytes.subarray(4) }
  })
  return { text: note.slice(0, separator + 1), signatures }
}

/** Control characters but the line feed. @param {string} text */
function hasControl(text) {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 && unit !== 0x0a) return true
  }
  return false
}

/**
 * @param {string} text
 * @returns {Head}
 */
function parseCheckpoint(text) {
  const [origin = '', size = '', root = '', end, ...more] = text.split('\n')
  if (end !== '' || more.length > 0 || !keyName.test(origin)) throw new Tampered('bad_note')
  if (!isDecimal(size) || !isHash(root)) throw new Tampered('bad_note')
  return { origin, size: Number(size), root }
}

/** @param {Buffer} leaf */
function parseAnchorLeaf(leaf) {
  const [prefix, at = '', origin = '', size = '', root = '', end, ...more] = leaf
    .toString('latin1')
    .split('\n')
  if (prefix !== anchorPrefix || !isTime(at) || end !== '' || more.length > 0) return null
  if (!isDecimal(size) || !isHash(root)) return null
  return { at, origin, size: Number(size), root }
}

const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex')
const p256Prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/**
 * @param {VerifierKey} key
 * @param {string} text
 * @param {Buffer} payload
 */
function isSignature({ type, key }, text, payload) {
  if (type === 2) return isSigned('sha256', key, Buffer.from(text), payload)
  const spki = Buffer.concat([ed25519Prefix, key])
  if (type === 1) return payload.length === 64 && isSigned(null, spki, Buffer.from(text), payload)
  if (payload.length !== 72) return false
  const message = `cosignature/v1\ntime ${payload.readBigUInt64BE()}\n${text}`
  return isSigned(null, spki, Buffer.from(message), payload.subarray(8))
}

/**
 * @param {'sha256' | null} algorithm
 * @param {Buffer} spki
 * @param {Buffer} message
 * @param {Buffer} signature
 */
function isSigned(algorithm, spki, message, signature) {
  try {
    return crypto.verify(algorithm, message, { key: spki, format: 'der', type: 'spki' }, signature)
  } catch {
    // No point of its curve: nothing is signed by it.
    return false
  }
}

// ---- The policy (C2SP tlog-policy) ------------------------------------------------------------------------------------

/**
 * @param {string} text
 * @returns {Policy}
 */
export function parsePolicy(text) {
  /** @type {Policy} */
  const policy = { logs: new Map(), witnesses: new Map(), rules: new Map(), quorum: '' }
  const members = new Set()
  if (!/^[\t\n -~\u0080-\u{10ffff}]*$/u.test(text) || loneSurrogate.test(text))
    throw new PolicyError('it has characters that no policy has')
  if (!text.endsWith('\n')) throw new PolicyError('its last line does not end')
  for (const line of text.split('\n')) {
    const [kind, ...items] = line.split(/[ \t]+/).filter(item => item !== '')
    if (kind === undefined || kind.startsWith('#')) continue
    const [name = '', second = '', ...others] = items
    if (kind === 'log' && items.length >= 1 && items.length <= 2) {
      const key = parseVerifierKey(name, [1, 2])
      addKey(policy.logs, key)
    } else if (kind === 'witness' && items.length >= 2 && items.length <= 3) {
      const key = parseVerifierKey(second, [4])
      if ([...policy.witnesses.values()].some(other => other.key.equals(key.key)))
        throw new PolicyError('a witness is named twice')
      addKey(policy.witnesses, key)
      addRule(policy.rules, name, { key: `${key.name}+${key.id}` })
    } else if (kind === 'group' && others.length >= 1) {
      for (const member of others) {
        if (!policy.rules.has(member) || members.has(member))
          throw new PolicyError('a member of a group is unknown or taken')
        members.add(member)
      }
      const least =
        second === 'all' ? others.length : second === 'any' ? 1 : isDecimal(second) ? Number(second) : 0
      if (least < 1 || least > others.length) throw new PolicyError('a group wants more members than it has')
      addRule(policy.rules, name, { least, members: others })
    } else if (kind === 'quorum' && items.length === 1 && policy.quorum === '') {
      if (name !== 'none' && !policy.rules.has(name)) throw new PolicyError('the quorum is unknown')
      policy.quorum = name
    } else {
      throw new PolicyError('a line is none that a policy has')
    }
  }
  if (policy.quorum === '') throw new PolicyError('it has no line `quorum`')
  const logKeys = [...policy.logs.values()]
  for (const { key } of policy.witnesses.values()) {
    if (logKeys.some(other => other.key.equals(key))) throw new PolicyError('a witness has the key of a log')
  }
  return policy
}

/**
 * @param {string} text
 * @param {number[]} types
 * @returns {VerifierKey}
 */
function parseVerifierKey(text, types) {
  const [, name = '', id = '', encoded = ''] =
    /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  const [type = 0] = bytes
  const key = bytes.subarray(1)
  if (!keyName.test(name) || bytes.toString('base64') !== encoded || !types.includes(type)) {
    throw new PolicyError('a key is no verifier key of a supported kind')
  }
  const isP256 = type === 2 && key.length === 91 && key.subarray(0, 27).equals(p256Prefix)
  if (!isP256 && (type === 2 || key.length !== 32)) throw new PolicyError('a key has another length or form')
  const named = type === 2 ? key : Buffer.concat([Buffer.from(`${name}\n`), bytes])
  if (sha256(named).toString('hex', 0, 4) !== id) throw new PolicyError('a key has another id')
  return { name, id, type, key }
}

/**
 * @param {Map<string, VerifierKey>} keys
 * @param {VerifierKey} key
 */
function addKey(keys, key) {
  const name = `${key.name}+${key.id}`
  if (keys.has(name)) throw new PolicyError('a key is named twice')
  keys.set(name, key)
}

/**
 * @param {Map<string, Rule>} rules
 * @param {string} name
 * @param {Rule} rule
 */
function addRule(rules, name, rule) {
  if (name === 'none' || rules.has(name)) throw new PolicyError('a name is taken')
  rules.set(name, rule)
}

/**
 * @param {Policy} policy
 * @param {string} name
 * @param {Set<string>} cosigners
 * @returns {boolean}
 */
function meets(policy, name, cosigners) {
  const rule = policy.rules.get(name)
  if (rule === undefined) return true
  if ('key' in rule) return cosigners.has(rule.key)
  return rule.members.filter(member => meets(policy, member, cosigners)).length >= rule.least
}

// ---- Certificates of destruction (docs/certificate.md) ----------------------------------------------------------------

/**
 * @typedef {object} CertificateReport
 * @property {Verdict} verdict
 * @property {{class: FindingClass, code: string}[]} findings In the order they were made.
 * @property {any} claims What it says; null where it cannot be read.
 * @property {string | null} anchoredAt
 * @property {string[]} signers
 */
/** @typedef {{kid: string, alg: 'EdDSA' | 'ES256', spki: Buffer}} CertificateKey */

/** The file of keys is no JWK set. */
export class KeySetError extends Error {
  /** @override */
  name = 'KeySetError'
}

const certificateBytesMost = 131_072
const certificateType = 'auricle-certificate+jwt'
const spkiOf = {
  'OKP Ed25519': ed25519Prefix,
  'EC P-256': p256Prefix,
}

/**
 * Whether a recording was destroyed as the certificate says: signed by a key of `jwks`, and the event in a log that keys of
 * `policy` vouch for. Throws `PolicyError` and `KeySetError`; whatever is wrong with the certificate stands in the report.
 * @param {Uint8Array} bytes
 * @param {{policy: string, jwks: string}} trusted
 * @returns {CertificateReport}
 */
export function verifyCertificate(bytes, trusted) {
  const policy = parsePolicy(trusted.policy)
  const keys = parseKeySet(trusted.jwks)
  /** @type {CertificateReport} */
  const report = { verdict: 'ok', findings: [], claims: null, anchoredAt: null, signers: [] }
  try {
    const { header, claims, signed, signature } = parseCertificate(bytes)
    report.claims = claims
    const key = keys.find(({ kid }) => kid === header.kid)
    if (key === undefined) report.findings.push({ class: 'unsigned', code: 'unknown_key' })
    else if (!isSignedCertificate(key, header.alg, signed, signature)) throw new Tampered('bad_signature')
    else report.signers.push(key.kid)
    if (!isCoherent(claims)) throw new Tampered('incoherent')
    checkEvent(claims)
    checkLog(claims, policy, report)
  } catch (error) {
    if (!(error instanceof Tampered)) throw error
    report.findings.push({ class: 'tampered', code: error.code })
  }
  report.verdict = classes.find(kind => report.findings.some(finding => finding.class === kind)) ?? 'ok'
  return report
}

/**
 * Keys of other kinds are passed over, as RFC 7517 asks.
 * @param {string} text
 * @returns {CertificateKey[]}
 */
function parseKeySet(text) {
  let value
  try {
    value = JSON.parse(text)
  } catch {
    throw new KeySetError('it is no JSON')
  }
  if (!isObject(value) || !Array.isArray(value.keys)) throw new KeySetError('it has no list of keys')
  return value.keys.flatMap((/** @type {any} */ key) => {
    if (!isObject(key) || typeof key.kid !== 'string') return []
    const { kid, kty, crv, x, y } = key
    const prefix = Object.entries(spkiOf).find(([kind]) => kind === `${kty} ${crv}`)?.[1]
    const numbers = kty === 'EC' ? [x, y] : [x]
    const parts = numbers.map(number => (typeof number === 'string' ? fromBase64url(number) : null))
    if (prefix === undefined || !parts.every(part => part?.length === 32)) return []
    const spki = Buffer.concat([prefix, .../** @type {Buffer[]} */ (parts)])
    return [{ kid, alg: kty === 'EC' ? 'ES256' : 'EdDSA', spki }]
  })
}

/** @param {Uint8Array} bytes */
function parseCertificate(bytes) {
  if (bytes.length > certificateBytesMost) throw new Tampered('bad_certificate')
  const text = Buffer.from(bytes).toString('latin1').replace(/\n$/, '')
  const [head = '', payload = '', tail = '', ...more] = text.split('.')
  const signature = fromBase64url(tail)
  if (more.length > 0 || signature?.length !== 64) throw new Tampered('bad_certificate')
  const header = parseSpelled(head)
  if (!hasMembers(header, ['alg', 'kid', 'typ']) || header.typ !== certificateType)
    throw new Tampered('bad_certificate')
  if ((header.alg !== 'EdDSA' && header.alg !== 'ES256') || typeof header.kid !== 'string')
    throw new Tampered('bad_certificate')
  const claims = parseSpelled(payload)
  if (!isClaims(claims)) throw new Tampered('bad_certificate')
  return { header, claims, signed: Buffer.from(`${head}.${payload}`), signature }
}

/** A part of a JWS, in its one spelling. @param {string} part @returns {any} */
function parseSpelled(part) {
  const bytes = fromBase64url(part)
  const value = bytes === null ? null : parseCanonical(bytes, '')
  if (!isObject(value)) throw new Tampered('bad_certificate')
  return value
}

/** Null for anything but base64url without padding and stray bits, and for nothing. @param {string} text */
function fromBase64url(text) {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : null
}

/**
 * @param {CertificateKey} key
 * @param {string} alg
 * @param {Buffer} signed
 * @param {Buffer} signature
 */
function isSignedCertificate(key, alg, signed, signature) {
  if (key.alg !== alg) return false
  const hash = alg === 'ES256' ? 'sha256' : null
  try {
    const spki = /** @type {const} */ ({
      key: key.spki,
      format: 'der',
      type: 'spki',
      dsaEncoding: 'ieee-p1363',
    })
    return crypto.verify(hash, signed, spki, signature)
  } catch {
    return false
  }
}

const words = {
  guidance: 'NIST SP 800-88r2',
  sanitization: 'clear',
  objects: 'deleted_by_generation',
  database: 'wraps_and_sealed_columns_removed',
}
const kinds = ['voicemail', 'recording']
const stores = ['primary', 'recovery']
const places = [...stores, 'database_backups']
const roles = ['original', 'playback', 'peaks', 'intake', 'stray']
const left = ['copies', 'database_free_space', 'log_private_parts']

/** @param {any} value @param {string[]} names In ascending order, as one spelling has them. */
const hasMembers = (value, names) => isObject(value) && Object.keys(value).join() === names.join()

/** @param {any} value */
const isName = value => typeof value === 'string' && /^[!-~]+$/.test(value)

/** @param {any} list @param {(item: any) => boolean} fits */
const isListOf = (list, fits) => Array.isArray(list) && list.every(fits)

/** @param {any} value @param {(item: any) => boolean} fits */
const isNullOr = (value, fits) => value === null || fits(value)

/** @param {any} claims */
function isClaims(claims) {
  const members = [
    ...['approvers', 'copies', 'destroyedAt', 'disposition', 'holdCheck', 'iat', 'iss', 'jti', 'keptUntil'],
    ...['kind', 'lastCopyAt', 'log', 'method', 'objects', 'proposedBy', 'receivedAt', 'recording', 'rule'],
    'tenant',
  ]
  if (!hasMembers(claims, members)) return false
  const { holdCheck, rule, method } = claims
  return (
    isId(claims.jti, 'crt') &&
    isId(claims.tenant, 'ten') &&
    isId(claims.recording, 'rec') &&
    isId(claims.disposition, 'dsp') &&
    isNullOr(claims.proposedBy, id => isId(id, 'usr')) &&
    isName(claims.iss) &&
    isCount(claims.iat) &&
    kinds.includes(claims.kind) &&
    [claims.receivedAt, claims.destroyedAt, claims.keptUntil, claims.lastCopyAt].every(isTime) &&
    hasMembers(rule, ['id', 'version']) &&
    isId(rule.id, 'rul') &&
    isCount(rule.version) &&
    hasMembers(holdCheck, ['at', 'holds']) &&
    isTime(holdCheck.at) &&
    holdCheck.holds === 0 &&
    isListOf(claims.approvers, isApprover) &&
    isListOf(claims.objects, isDestroyedObject) &&
    claims.objects.length > 0 &&
    hasMembers(method, ['database', 'guidance', 'objects', 'remains', 'sanitization']) &&
    Object.entries(words).every(([name, word]) => method[name] === word) &&
    isListOf(method.remains, isRemainder) &&
    isListOf(claims.copies, isCopy) &&
    hasMembers(claims.log, ['anchor', 'checkpoint', 'index', 'leaf', 'origin', 'proof', 'size']) &&
    isName(claims.log.origin) &&
    isPlace(claims.log) &&
    hasMembers(claims.log.anchor, ['checkpoint', 'index', 'leaf', 'proof', 'size']) &&
    isPlace(claims.log.anchor)
  )
}

/** @param {any} value */
const isApprover = value =>
  hasMembers(value, ['at', 'id', 'stage']) &&
  isTime(value.at) &&
  isId(value.id, 'usr') &&
  isCount(value.stage)

/** @param {any} value */
const isCopy = value =>
  hasMembers(value, ['until', 'where']) && isTime(value.until) && places.includes(value.where)

/** @param {any} value */
const isRemainder = value =>
  hasMembers(value, ['sealedUnder', 'what']) && isName(value.sealedUnder) && left.includes(value.what)

/** @param {any} value */
function isDestroyedObject(value) {
  const members = [
    ...['bytes', 'destroyedAt', 'fingerprint', 'generation', 'key', 'restorableUntil', 'role', 'store'],
  ]
  return (
    hasMembers(value, members) &&
    stores.includes(value.store) &&
    roles.includes(value.role) &&
    isName(value.key) &&
    isName(value.generation) &&
    isCount(value.bytes) &&
    isTime(value.destroyedAt) &&
    isNullOr(value.restorableUntil, isTime) &&
    isNullOr(value.fingerprint, text => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text))
  )
}

/** @param {any} value */
const isPlace = value =>
  isCount(value.index) &&
  isCount(value.size) &&
  typeof value.leaf === 'string' &&
  isBase64(value.leaf) &&
  typeof value.checkpoint === 'string' &&
  isListOf(value.proof, hash => typeof hash === 'string' && isHash(hash))

/** Whether it agrees with itself. @param {any} claims */
function isCoherent(claims) {
  const { approvers, objects, destroyedAt, keptUntil, holdCheck, copies, lastCopyAt } = claims
  const people = [claims.proposedBy, ...approvers.map((/** @type {any} */ { id }) => id)]
  if (new Set(people).size !== people.length) return false
  if (approvers.some((/** @type {any} */ { stage }, /** @type {number} */ index) => stage !== index + 1))
    return false
  const names = objects.map(
    (/** @type {any} */ object) => `${object.store} ${object.key} ${object.generation}`,
  )
  if (new Set(names).size !== names.length) return false
  const times = [...approvers, ...[holdCheck]].map(({ at }) => at)
  const latest = toMs(destroyedAt) + clockToleranceMs
  const before = [...times, ...objects.map((/** @type {any} */ object) => object.destroyedAt)]
  if (keptUntil > destroyedAt || before.some(time => toMs(time) > latest)) return false
  /** @type {{until: string, where: string}[]} */
  const wanted = stores.flatMap(where => {
    const untils = objects
      .filter((/** @type {any} */ { store }) => store === where)
      .map((/** @type {any} */ { restorableUntil }) => restorableUntil ?? '')
      .filter((/** @type {string} */ until) => until > destroyedAt)
      .sort()
    return untils.length === 0 ? [] : [{ until: untils.at(-1), where }]
  })
  const [rest, ...more] = copies.slice(wanted.length)
  if (JSON.stringify(copies.slice(0, wanted.length)) !== JSON.stringify(wanted) || more.length > 0)
    return false
  if (rest !== undefined && (rest.where !== 'database_backups' || rest.until <= destroyedAt)) return false
  const ends = [destroyedAt, ...copies.map((/** @type {any} */ { until }) => until)].sort()
  return lastCopyAt === ends.at(-1)
}

/** Whether the leaf is of the event that the certificate is about, and commits to what it says. @param {any} claims */
function checkEvent(claims) {
  const { iat, iss, log, ...said } = claims
  const event = parseLeaf(decodeBase64(log.leaf), { origin: log.origin, seq: log.index })
  const { object, detail } = event
  const bytes = said.objects.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.bytes, 0)
  const isOfIt =
    event.action === 'recording.disposed' &&
    event.tenant === said.tenant &&
    event.at === said.destroyedAt &&
    object?.type === 'recording' &&
    object.id === said.recording &&
    detail?.kind === 'disposal' &&
    detail.disposition === said.disposition &&
    detail.rule === said.rule.id &&
    detail.version === said.rule.version &&
    detail.objects === said.objects.length &&
    detail.bytes === bytes &&
    detail.claims === sha256(Buffer.from(JSON.stringify(said))).toString('base64')
  if (!isOfIt) throw new Tampered('event')
}

/**
 * @param {any} claims
 * @param {Policy} policy
 * @param {CertificateReport} report
 */
function checkLog({ iss, tenant, log }, policy, report) {
  const [, name, originTenant] = logOrigin.exec(log.origin) ?? []
  if (log.origin.length > 255 || name !== iss || originTenant !== tenant) throw new Tampered('origin')
  const named = keysOf(policy, log.origin)
  const { head, by } = signedHead(log, log.origin, named, report)
  // Where the policy names no key of this log, the log rests on the anchor that holds its checkpoint.
  if (named.size > 0 && by.size === 0)
    report.findings.push({ class: 'unsigned', code: 'checkpoint_unsigned' })
  const leaf = decodeBase64(log.leaf)
  if (
    rootByInclusion(log.index, log.size, leafHash(leaf), decodeHashes(log.proof))?.toString('base64') !==
    head.root
  )
    throw new Tampered('proof')

  const { anchor } = log
  const anchorLeaf = decodeBase64(anchor.leaf)
  const anchored = parseAnchorLeaf(anchorLeaf)
  if (anchored === null || anchored.origin !== log.origin || anchored.size !== log.size)
    throw new Tampered('anchor_leaf')
  if (anchored.root !== head.root) throw new Tampered('fork')
  const anchorKeys = keysOf(policy, `${iss}/anchor`)
  const above = signedHead(anchor, `${iss}/anchor`, new Map([...anchorKeys, ...policy.witnesses]), report)
  if (![...anchorKeys.keys()].some(key => above.by.has(key)))
    report.findings.push({ class: 'unsigned', code: 'anchor_unsigned' })
  const root = rootByInclusion(anchor.index, anchor.size, leafHash(anchorLeaf), decodeHashes(anchor.proof))
  if (root?.toString('base64') !== above.head.root) throw new Tampered('anchor_proof')
  if (!meets(policy, policy.quorum, above.by)) report.findings.push({ class: 'unsigned', code: 'quorum' })
  report.anchoredAt = anchored.at
}

/** @param {Policy} policy @param {string} origin */
const keysOf = ({ logs }, origin) => new Map([...logs].filter(([, key]) => key.name === origin))

/**
 * A signed checkpoint of that log and size, and which of `keys` signed it.
 * @param {{checkpoint: string, size: number}} place
 * @param {string} origin
 * @param {Map<string, VerifierKey>} keys
 * @param {CertificateReport} report
 */
function signedHead({ checkpoint, size }, origin, keys, report) {
  const note = parseNote(checkpoint)
  const head = parseCheckpoint(note.text)
  if (head.origin !== origin || head.size !== size) throw new Tampered('origin')
  /** @type {Set<string>} */
  const by = new Set()
  for (const { name, id, payload } of note.signatures) {
    const key = keys.get(`${name}+${id}`)
    if (key === undefined) continue
    if (!isSignature(key, note.text, payload)) throw new Tampered('bad_signature')
    by.add(`${name}+${id}`)
    report.signers.push(`${name}+${id}`)
  }
  return { head, by }
}

// ---- Lines, numbers, bytes --------------------------------------------------------------------------------------------

/**
 * A line as JSON in its one spelling: its members in their order, no white space, the shortest escapes.
 * @param {Buffer} line
 * @returns {any}
 */
function parseLine(line) {
  try {
    const text = decodeUtf8(line)
    const value = JSON.parse(text)
    const wanted = isObject(value)
      ? Object.entries(members).find(([type]) => type === value.type)?.[1]
      : undefined
    if (wanted === undefined || Object.keys(value).join() !== ['type', ...wanted].join())
      throw new Tampered('bad_line')
    if (JSON.stringify(value) !== text) throw new Tampered('bad_line')
    if (Object.values(value).some(member => typeof member === 'string' && loneSurrogate.test(member))) {
      throw new Tampered('bad_line')
    }
    return value
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) {
      throw new Tampered('bad_line')
    }
    throw error
  }
}

/**
 * A line of a leaf or a hash: `{"type":"leaf","seq":12,"leaf":"..."` and what stands before the brace that closes it.
 * Searching for the next quote is much quicker than JSON, and as exact: what is between must be base64.
 * @param {string} line
 * @param {'leaf' | 'hash'} type
 */
function splitNumbered(line, type) {
  const start = `{"type":"${type}","seq":`
  const comma = line.indexOf(',', start.length)
  const name = `,"${type}":"`
  const end = line.indexOf('"', comma + name.length)
  const seqText = line.slice(start.length, comma)
  const isWhole = comma !== -1 && end !== -1 && line.endsWith('}')
  if (!isWhole || !line.startsWith(start) || !line.startsWith(name, comma) || !isDecimal(seqText)) {
    throw new Tampered('bad_line')
  }
  return { seq: Number(seqText), text: line.slice(comma + name.length, end), rest: line.slice(end + 1, -1) }
}

/** @param {string} rest */
function privateOf(rest) {
  const start = ',"private":"'
  if (!rest.startsWith(start) || !rest.endsWith('"')) throw new Tampered('bad_line')
  return rest.slice(start.length, -1)
}

/** @param {any} value */
function isSelection(value) {
  if (!isObject(value)) return false
  const names = Object.keys(value)
  const known = ['patient', 'user', 'recording', 'from', 'to'].filter(name => names.includes(name))
  return (
    names.join() === known.join() &&
    names.every(name =>
      name === 'from' || name === 'to'
        ? isTime(value[name])
        : typeof value[name] === 'string' && anyId.test(value[name]),
    )
  )
}

/**
 * @param {any} value
 * @param {string} prefix
 */
const isId = (value, prefix) =>
  typeof value === 'string' && anyId.test(value) && value.startsWith(`${prefix}_`)

/** @param {any} value */
const isCount = value => Number.isSafeInteger(value) && value >= 0

/** @param {string} text */
const isDecimal = text => /^(?:0|[1-9][0-9]{0,15})$/.test(text) && isCount(Number(text))

/** Dates follow each other and mostly are the same. */
let goodDate = ''

/** A moment of the years 1000 to 9999, in UTC with milliseconds. @param {any} value */
function isTime(value) {
  if (typeof value !== 'string' || !time.test(value)) return false
  const date = value.slice(0, 10)
  if (date === goodDate) return true
  const ms = Date.parse(`${date}T00:00:00.000Z`)
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(date)) return false
  goodDate = date
  return true
}

/** @param {string} text */
const toMs = text => Date.parse(text)

/** @param {string} text */
const isHash = text =>
  /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').toString('base64') === text

/** @param {any} value */
function decodeHashes(value) {
  if (!Array.isArray(value)) throw new Tampered('bad_line')
  return value.map(text => {
    if (typeof text !== 'string' || !isHash(text)) throw new Tampered('bad_line')
    return Buffer.from(text, 'base64')
  })
}

/** Strictly: the standard alphabet, padded, no stray bits. @param {string} text */
function decodeBase64(text) {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw new Tampered('bad_line')
  return bytes
}

/** @param {string} text */
const isBase64 = text => text !== '' && Buffer.from(text, 'base64').toString('base64') === text

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws `TypeError` where it is not UTF-8. @param {Buffer} bytes */
const decodeUtf8 = bytes => utf8.decode(bytes)

/** @type {(bytes: Buffer) => Buffer} */
const sha256 =
  crypto.hash === undefined
    ? bytes => crypto.createHash('sha256').update(bytes).digest()
    : bytes => crypto.hash('sha256', bytes, 'buffer')

/**
 * @param {readonly number[]} list
 * @param {number} index
 */
const at = (list, index) => /** @type {number} */ (list[index])

/**
 * @param {Map<string, number>} counts
 * @param {string} name
 */
function addOne(counts, name) {
  const row = counts.has(name) || counts.size < rowsMost ? name : 'all others'
  counts.set(row, (counts.get(row) ?? 0) + 1)
}

class LineSplitter {
  /** @param {(line: Buffer | null) => boolean} take Says whether to go on. */
  constructor(take) {
    this.takeLine = take
    /** What followed the last line feed. @type {Buffer[]} */
    this.rest = []
    this.restBytes = 0
    this.isDone = false
  }

  /** @param {Uint8Array} piece */
  push(piece) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let start = 0
    while (!this.isDone) {
      const end = bytes.indexOf(0x0a, start)
      if (end === -1) break
      const part = bytes.subarray(start, end)
      const line = this.restBytes === 0 ? part : Buffer.concat([...this.rest, part])
      this.rest = []
      this.restBytes = 0
      start = end + 1
      this.isDone = !this.takeLine(line.length > lineBytesMost ? null : line)
    }
    if (this.isDone || start === bytes.length) return
    this.rest.push(bytes.subarray(start))
    this.restBytes += bytes.length - start
    if (this.restBytes > lineBytesMost) {
      this.isDone = true
      this.takeLine(null)
    }
  }

  hasRest() {
    return this.restBytes > 0
  }
}

/**
 * Hands over the bytes, unpacked where they are gzip. Returns what is wrong with the packing, if anything is: a packed
 * file is unpacked to its end in any case, so that the answer does not depend on how far somebody read.
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} pieces
 * @param {(piece: Uint8Array) => boolean} take Says whether there is any use in more.
 * @returns {Promise<'gzip' | 'gzip_cut' | null>}
 */
async function eachPiece(pieces, take) {
  const source = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()
  /** @type {Buffer} */
  let start = Buffer.alloc(0)
  let next = await source.next()
  for (; start.length < 2 && next.done !== true; next = await source.next()) {
    start = Buffer.concat([start, next.value])
  }
  let givenBytes = 0
  async function* everything() {
    try {
      givenBytes += start.length
      if (start.length > 0) yield start
      for (; next.done !== true; next = await source.next()) {
        givenBytes += next.value.length
        yield next.value
      }
    } finally {
      await source.return?.()
    }
  }
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    for await (const piece of everything()) if (!take(piece)) break
    return null
  }
  const gunzip = createGunzip()
  try {
    await pipeline(Readable.from(everything()), gunzip, async unpacked => {
      for await (const piece of unpacked) take(piece)
    })
    // Node passes over zeros behind the last member.
    return gunzip.bytesWritten === givenBytes ? null : 'gzip'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    // Node closes the stream where something follows that cannot be another member.
    if (!code.startsWith('Z_') && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    return code === 'Z_BUF_ERROR' ? 'gzip_cut' : 'gzip'
  }
}

// ---- The report -------------------------------------------------------------------------------------------------------

/** What findings mean, by their code. @type {Record<string, string>} */
export const sentences = {
  bad_line: 'The line is not written as the format asks.',
  order: 'The line stands where it may not: something was moved, repeated or taken out.',
  origin: 'The line belongs to another log.',
  bad_policy: 'The policy in the bundle cannot be read.',
  bad_leaf: 'The entry is none that the vault writes.',
  tenant: 'The entry belongs to another tenant.',
  private: 'The private part is not the one that the entry commits to.',
  opening: 'The log does not begin as it must, or denies the log before it.',
  year_root: 'The log of the year before ended otherwise than this log says.',
  bad_note: 'The checkpoint is no signed note.',
  bad_signature: 'A signature in the name of a known key is not its own.',
  root: 'Of the entries since the checkpoint before this one, some are not those that were signed.',
  fork: 'The anchor holds another history of this log.',
  anchor_leaf: "The anchor's entry is not about this checkpoint.",
  anchor_proof: 'The proof does not lead to the anchor: the checkpoint was never anchored there.',
  consistency: "The anchor's later checkpoint does not continue the earlier one: it has two histories.",
  gzip: 'The file is damaged and cannot be unpacked.',
  gzip_cut: 'The packed file ends too early.',
  cut: 'The file breaks off within a line.',
  end: 'The file has no end: lines are missing.',
  lines: 'The number of lines is not the one the bundle gives.',
  log: 'The bundle holds no log.',
  leaf: 'Entries are missing, from this number on.',
  checkpoint: 'No checkpoint covers the entries.',
  log_start: 'The beginning of this log is missing, though a log of an earlier year is there.',
  year: 'The log of a year between is missing.',
  year_end: 'The end of the log of the year before is missing.',
  anchored: 'The last checkpoint of the log comes without proof that it was anchored.',
  anchor_checkpoint: "The anchor's checkpoint that the proof leads to is missing.",
  anchor_consistency: "Nothing shows that the anchor's later checkpoint continues the earlier one.",
  selection_start: 'The bundle begins later than what was asked for.',
  selection_end: 'The bundle ends earlier than what was asked for.',
  number: 'An event that was acknowledged is not in the log.',
  number_repeated: 'Two events of one writer have the same number.',
  beat: 'Heartbeats of a writer are missing.',
  beat_repeated: 'Two heartbeats of one writer have the same number.',
  start: 'A writer is there of which nothing says that it started.',
  uncounted: 'An entry has no number, though entries before it have.',
  time: 'The time goes back by more than ten minutes, and nothing says that the entry came late.',
  time_ahead: 'Entries are later than the moment at which they were anchored.',
  not_pinned:
    'No key was given to trust: what the bundle says of itself was used, and proves nothing against its maker.',
  checkpoint_unsigned: 'No trusted key of this log has signed the checkpoint.',
  anchor_unsigned: "No trusted key has signed the anchor's checkpoint.",
  quorum: 'Too few witnesses have signed the last checkpoint of the anchor.',
  old: 'The newest checkpoint is older than allowed: what came later is not in the bundle.',
}

/** @type {Record<Verdict, string>} */
const verdictSentences = {
  ok: 'OK: the log holds.',
  tampered: 'TAMPERED: what is here is not what was signed.',
  missing: 'MISSING: the bundle is not complete.',
  gap: 'GAP: the log itself lacks events, or tells them out of order.',
  unsigned: 'UNSIGNED: nobody who is trusted vouches for it.',
  stale: 'STALE: it held, but there is news that it does not show.',
}

/** 0, 1 for tampered, 2 for anything else. @param {Verdict} verdict */
export const exitCodeOf = verdict => (verdict === 'ok' ? 0 : verdict === 'tampered' ? 1 : 2)

/** The report for programs. @param {Report} report */
export function reportJson({ verdict, pinned, findings, logs, events, selected, withheld }) {
  return { verdict, pinned, findings, logs, events, selected, withheld }
}

/** The report for people, in lines. @param {Report} report */
export function reportText(report) {
  const { verdict, findings, selection, withheld } = report
  const first = findings.find(finding => finding.class === verdict)
  const lines = [verdictSentences[verdict]]
  if (withheld > 0) lines.push(`${withheld} entries are withheld: of these it is not known what they say.`)
  if (first !== undefined) lines.push(`First bad place: ${sentenceOf(first)}`)
  if (verdict === 'tampered') lines.push('Reading ended there. What follows is about what stands before it.')
  lines.push('', `Trusted: ${trustOf(report)}`)
  for (const signer of report.signers) lines.push(`  signed by ${signer}`)
  if (report.tenant !== null) lines.push(`Tenant: ${report.tenant}, bundle made ${report.madeAt}`)
  for (const { origin, first: from, size, root } of report.logs) {
    const extent =
      root === null ? `from entry ${from}, no checkpoint` : `entries ${from} to ${size - 1}, root ${root}`
    lines.push(`Log: ${origin}, ${extent}`)
  }
  lines.push(`Events: ${report.events}, from ${report.oldestAt ?? '-'} to ${report.newestAt ?? '-'}`)
  lines.push(`Private parts shown: ${report.privateShown}`)
  lines.push(`Anchored: ${report.anchoredAt ?? 'never'}; what came later is not in this bundle`)
  const asked = Object.entries(selection).map(([name, value]) => `${name} ${value}`)
  lines.push(`Asked for: ${asked.length === 0 ? 'everything' : asked.join(', ')}`)
  lines.push(`Events that match: ${report.selected}`)
  if (withheld > 0)
    lines.push('Whether withheld entries match too, or events are missing among them, cannot be known.')
  lines.push(...table('By action', report.byAction), ...table('By person', report.byPerson))
  if (findings.length > 0) lines.push('', `Findings: ${findings.length}`)
  for (const finding of findings.slice(0, 100)) lines.push(`  ${finding.class}: ${sentenceOf(finding)}`)
  return `${lines.join('\n')}\n`
}

/** @param {Finding} finding */
function sentenceOf({ code, line, origin, seq }) {
  const place = [
    line === 0 ? null : `line ${line}`,
    origin === null ? null : printable(origin),
    seq === null ? null : `number ${seq}`,
  ].filter(part => part !== null)
  return `${sentences[code] ?? ''} (${[code, ...place].join(', ')})`
}

/** @param {Report} report */
function trustOf({ pinned }) {
  if (pinned === 'policy') return 'the keys of the policy file'
  if (pinned === 'bundle') return 'the keys that the bundle itself names, as was asked for'
  return 'nothing'
}

/**
 * @param {string} title
 * @param {Map<string, number>} counts
 */
function table(title, counts) {
  const rows = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return rows.length === 0
    ? []
    : [`${title}:`, ...rows.map(([name, count]) => `  ${String(count).padStart(9)}  ${printable(name)}`)]
}

/** What findings about a certificate mean where another sentence fits better. @type {Record<string, string>} */
const certificateSentences = {
  bad_certificate: 'It is not written as certificates are.',
  unknown_key: 'None of the keys that were given signed it.',
  incoherent: 'It contradicts itself.',
  bad_leaf: 'The entry of the log is none that the vault writes.',
  event: 'The log says another thing of this destruction, or of another one.',
  origin: 'A checkpoint belongs to another log, or is of another size.',
  proof: 'The proof does not lead from the event to the log: it was never in it.',
  fork: 'The anchor holds another history of this log.',
}

/** @type {Record<string, string>} */
const certificateVerdicts = {
  ok: 'OK: the recording was destroyed as the certificate says.',
  tampered: 'TAMPERED: this is not what was signed, or not what the log says.',
  unsigned: 'UNSIGNED: nobody who is trusted vouches for it.',
}

/** The report for programs. @param {CertificateReport} report */
export function certificateJson({ verdict, findings, claims }) {
  const { jti = null, recording = null, destroyedAt = null, lastCopyAt = null } = claims ?? {}
  return { verdict, findings, certificate: jti, recording, destroyedAt, lastCopyAt }
}

/** The report for people, in lines. @param {CertificateReport} report */
export function certificateReport({ verdict, findings, claims, anchoredAt, signers }) {
  const lines = [certificateVerdicts[verdict] ?? '']
  for (const { code } of findings)
    lines.push(`  ${certificateSentences[code] ?? sentences[code] ?? ''} (${code})`)
  if (claims !== null) {
    const by = claims.approvers.map((/** @type {any} */ { id, at }) => `${id} at ${at}`)
    const copies = claims.copies.map((/** @type {any} */ { where, until }) => `${where} until ${until}`)
    lines.push(
      ...['', `Certificate: ${claims.jti} of tenant ${claims.tenant}`],
      `Recording: ${claims.recording} (${claims.kind}), received ${claims.receivedAt}`,
      `Destroyed: ${claims.destroyedAt}, ${claims.objects.length} objects; kept until ${claims.keptUntil}`,
      `Rule: ${claims.rule.id}, version ${claims.rule.version}; disposition ${claims.disposition}`,
      `Proposed by ${claims.proposedBy ?? 'the vault'}`,
      ...(by.length === 0
        ? ['Approved by its rule']
        : by.map((/** @type {string} */ one) => `Approved by ${one}`)),
      `Copies that there may be: ${copies.length === 0 ? 'none' : copies.join(', ')}`,
      `Nobody holds a copy from ${claims.lastCopyAt} on`,
    )
  }
  if (anchoredAt !== null) lines.push(`Anchored: ${anchoredAt}`)
  for (const signer of signers) lines.push(`  signed by ${signer}`)
  return `${lines.map(printable).join('\n')}\n`
}

/** Nothing of a bundle moves the cursor of a terminal. @param {string} text */
const printable = text => text.replace(/[^ -~]/g, '?').slice(0, 200)

// ---- The command ------------------------------------------------------------------------------------------------------

const usage =
  'usage: node auricle-verify.mjs BUNDLE --policy FILE [--json] [--at TIME] [--max-age-hours N] [--trust-bundled-policy]\n' +
  '       node auricle-verify.mjs --certificate FILE --jwks FILE --policy FILE [--json]'

/**
 * @param {readonly string[]} args
 * @returns {{bundle: string, policyFile: string | null, isJson: boolean, options: Omit<Options, 'policy'>}}
 */
function parseArguments(args) {
  const rest = [...args]
  /** @type {string | null} */
  let bundle = null
  /** @type {string | null} */
  let policyFile = null
  let isJson = false
  const options = { trustBundledPolicy: false, at: new Date(), maxAgeHours: 24 }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') isJson = true
    else if (word === '--trust-bundled-policy') options.trustBundledPolicy = true
    else if (word === '--policy') policyFile = rest.shift() ?? fail('--policy needs a file')
    else if (word === '--at') options.at = timeOf(rest.shift() ?? '')
    else if (word === '--max-age-hours') options.maxAgeHours = hoursOf(rest.shift() ?? '')
    else if (word.startsWith('-') || bundle !== null) fail(usage)
    else bundle = word
  }
  return { bundle: bundle ?? fail(usage), policyFile, isJson, options }
}

/** @param {string} text */
function timeOf(text) {
  const moment = new Date(text)
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) || Number.isNaN(moment.getTime()))
    fail('--at needs a time such as 2026-11-22T14:00:00Z')
  return moment
}

/** @param {string} text */
function hoursOf(text) {
  if (!/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text)) fail('--max-age-hours needs a number')
  return Number(text)
}

/**
 * @param {string} sentence
 * @returns {never}
 */
function fail(sentence) {
  throw new UsageError(sentence)
}

class UsageError extends Error {}

/** Returns the exit code. @param {readonly string[]} args */
function runCertificate(args) {
  /** @type {Record<string, string>} */
  const files = {}
  let isJson = false
  for (let rest = [...args], word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') isJson = true
    else if (['--certificate', '--jwks', '--policy'].includes(word) && files[word] === undefined)
      files[word] = rest.shift() ?? fail(`${word} needs a file`)
    else fail(usage)
  }
  const read = (/** @type {string} */ word) => readFileSync(files[word] ?? fail(`${word} is missing`))
  const trusted = { policy: decodeUtf8(read('--policy')), jwks: decodeUtf8(read('--jwks')) }
  const report = verifyCertificate(read('--certificate'), trusted)
  process.stdout.write(isJson ? `${JSON.stringify(certificateJson(report))}\n` : certificateReport(report))
  return exitCodeOf(report.verdict)
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
async function main(args) {
  try {
    if (args.includes('--certificate')) return runCertificate(args)
    const { bundle, policyFile, isJson, options } = parseArguments(args)
    const policy = policyFile === null ? null : decodeUtf8(readFileSync(policyFile))
    const report = await verifyBundle(createReadStream(bundle, { highWaterMark: pieceBytes }), {
      ...options,
      policy,
    })
    process.stdout.write(isJson ? `${JSON.stringify(reportJson(report))}\n` : reportText(report))
    return exitCodeOf(report.verdict)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(
      `${error instanceof PolicyError ? `The policy cannot be used: ${message}` : error instanceof KeySetError ? `The keys cannot be used: ${message}` : message}\n`,
    )
    return 3
  }
}

const [, program] = process.argv
if (
  program !== undefined &&
  existsSync(program) &&
  realpathSync(program) === fileURLToPath(import.meta.url)
) {
  process.exitCode = await main(process.argv.slice(2))
}
