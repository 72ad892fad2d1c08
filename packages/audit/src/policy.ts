// Whom somebody trusts (C2SP tlog-policy): the keys of logs and witnesses, and which witnesses are enough.
import { equalBytes } from './bytes.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { AuditError } from './error.ts'
import { verifyNote } from './note.ts'
import { formatVerifierKey, parseVerifierKey, sameKey, type VerifierKey } from './verifier-key.ts'

/** Of logs, of witnesses and of groups, each. */
const mostOfAKind = 1024

export interface PolicyLog {
  /** Its name is the log's origin. */
  readonly key: VerifierKey
  readonly url: string | null
}

export interface PolicyWitness {
  /** In this policy alone. */
  readonly name: string
  readonly key: VerifierKey
  readonly url: string | null
}

export interface PolicyGroup {
  readonly name: string
  /** How many of the members have to have signed: at least 1, at most all. */
  readonly needed: number
  /** Names of witnesses and of groups that stand before it; each in one group at most. */
  readonly members: readonly string[]
}

export interface Policy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  readonly groups: readonly PolicyGroup[]
  /** The witness or group that has to have signed; null where none has to. */
  readonly quorum: string | null
}

/**
 * Throws `AuditError('bad_policy')`. A key may sign several logs, each under the log's own name (C2SP asks for one line a
 * key); as a witness it counts once, and not if it is a log's.
 */
export function parsePolicy(text: string): Policy {
  if (!isPolicyText(text)) refuse('it has characters that no line can have')
  if (!text.endsWith('\n')) refuse('its last line does not end')
  const logs: PolicyLog[] = []
  const witnesses: PolicyWitness[] = []
  const groups: PolicyGroup[] = []
  const quorums: string[] = []
  const names = new Set<string>()
  const members = new Set<string>()

  const define = (name: string): string => {
    if (name === 'none' || names.has(name)) refuse('a name is defined twice, or is none')
    names.add(name)
    return name
  }
  const defined = (name: string): string =>
    names.has(name) ? name : refuse('a name is used before it is defined')
  const onlyOnce = (name: string): string => {
    if (members.has(name)) refuse('a name is a member twice')
    members.add(name)
    return defined(name)
  }

  for (const line of text.split('\n')) {
    const [kind, ...words] = line.split(/[ \t]+/).filter(word => word !== '')
    if (kind === undefined || kind.startsWith('#')) continue
    const [first, second, third, ...more] = words
    if (kind === 'log' && first !== undefined && third === undefined) {
      logs.push({ key: keyOf(first), url: second ?? null })
    } else if (kind === 'witness' && first !== undefined && second !== undefined && more.length === 0) {
      witnesses.push({ name: define(first), key: keyOf(second), url: third ?? null })
    } else if (kind === 'group' && first !== undefined && second !== undefined && third !== undefined) {
      // Its own name is defined last: a group is no member of itself.
      const group = { needed: neededOf(second, more.length + 1), members: [third, ...more].map(onlyOnce) }
      groups.push({ name: define(first), ...group })
    } else if (kind === 'quorum' && first !== undefined && second === undefined) {
      quorums.push(first === 'none' ? first : defined(first))
    } else {
      refuse('a line is none of log, witness, group and quorum')
    }
  }

  if (Math.max(logs.length, witnesses.length, groups.length) > mostOfAKind) refuse('it is too long')
  checkKeys(logs, witnesses)
  const [quorum, ...others] = quorums
  if (quorum === undefined || others.length > 0) refuse('it has not one quorum')
  return { logs, witnesses, groups, quorum: quorum === 'none' ? null : quorum }
}

/** Logs, witnesses, groups, quorum. Throws `AuditError('bad_policy')` for what could not be read again. */
export function formatPolicy({ logs, witnesses, groups, quorum }: Policy): string {
  const lines = [
    ...logs.map(log => ['log', formatVerifierKey(log.key), ...orNothing(log.url)]),
    ...witnesses.map(({ name, key, url }) => ['witness', name, formatVerifierKey(key), ...orNothing(url)]),
    ...groups.map(({ name, needed, members }) => ['group', name, String(needed), ...members]),
    ['quorum', quorum ?? 'none'],
  ]
  if (!lines.flat().every(isWord) || quorum === 'none') refuse('a name or address cannot stand in a line')
  const text = `${lines.map(words => words.join(' ')).join('\n')}\n`
  parsePolicy(text)
  return text
}

/** Whether those who have cosigned a checkpoint are enough. Whoever is no witness of the policy does not count. */
export function meetsQuorum(policy: Policy, cosigners: readonly VerifierKey[]): boolean {
  if (policy.quorum === null) return true
  const witnessed = new Set(
    policy.witnesses
      .filter(({ key }) => cosigners.some(cosigner => sameKey(cosigner, key)))
      .map(({ name }) => name),
  )
  // Members stand before their group.
  for (const { name, needed, members } of policy.groups) {
    if (members.filter(member => witnessed.has(member)).length >= needed) witnessed.add(name)
  }
  return witnessed.has(policy.quorum)
}

/**
 * The checkpoint of a signed note that a log of the policy has signed under its own name and enough witnesses have
 * cosigned. Rejects with `AuditError`: `unsigned` where one of both is missing, `bad_checkpoint`, and as `verifyNote`
 * does.
 */
export async function verifyCheckpoint(
  note: string,
  policy: Policy,
): Promise<{ readonly checkpoint: Checkpoint; readonly by: readonly VerifierKey[] }> {
  const keys = [...policy.logs, ...policy.witnesses].map(({ key }) => key)
  const { note: parsed, by } = await verifyNote(note, keys)
  const checkpoint = parseCheckpoint(parsed.text)
  if (!policy.logs.some(({ key }) => key.name === checkpoint.origin && by.includes(key))) {
    throw new AuditError('unsigned', 'the log itself has not signed its checkpoint')
  }
  if (!meetsQuorum(policy, by))
    throw new AuditError('unsigned', 'too few witnesses have cosigned the checkpoint')
  return { checkpoint, by }
}

function keyOf(text: string): VerifierKey {
  try {
    return parseVerifierKey(text)
  } catch (cause) {
    return refuse('one of its keys is no verifier key', cause)
  }
}

function neededOf(text: string, members: number): number {
  if (text === 'any') return 1
  const needed = text === 'all' ? members : parseDecimal(text)
  if (needed === null || needed < 1 || needed > members)
    refuse('a group needs none of its members, or more than all')
  return needed
}

function checkKeys(logs: readonly PolicyLog[], witnesses: readonly PolicyWitness[]): void {
  if (logs.some(({ key }) => key.algorithm === 'cosignature-ed25519'))
    refuse('a log has the key of a witness')
  if (witnesses.some(({ key }) => key.algorithm !== 'cosignature-ed25519'))
    refuse('a witness has the key of a log')
  if (logs.some(({ key }, place) => logs.slice(0, place).some(other => sameKey(key, other.key)))) {
    refuse('a log is named twice')
  }
  const shared = ({ key }: PolicyWitness, others: readonly PolicyLog[]) =>
    others.some(other => equalBytes(key.publicKey, other.key.publicKey))
  if (
    witnesses.some((witness, place) => shared(witness, witnesses.slice(0, place)) || shared(witness, logs))
  ) {
    refuse('a witness has the key of another, or of a log')
  }
}

const orNothing = (url: string | null): readonly string[] => (url === null ? [] : [url])
const isWord = (text: string): boolean => isPolicyText(text) && /^[^ \t\n]+$/.test(text)

/** Of ASCII only printing characters, tabs and line feeds. */
function isPolicyText(text: string): boolean {
  return text.isWellFormed() && !/[^\P{Cc}\t\n\u0080-\u009f]/u.test(text)
}

function refuse(why: string, cause?: unknown): never {
  throw new AuditError('bad_policy', `this is no policy: ${why}`, { cause })
}
