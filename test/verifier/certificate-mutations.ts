// What somebody may do to a certificate: to its text, and, with the key of certificates in hand, to each single claim.
import { randomBytes } from 'node:crypto'
import { type Claims, encoded, type Json, type MadeCertificate, spelled } from './certificate-fixture.ts'
import type { Random } from './random.ts'
import { ed25519Key } from './signing-keys.ts'

export interface CertificateCase {
  readonly name: string
  readonly text: Buffer
  readonly jwks: string
  readonly policy: string
  /** `bad` is anything but `ok`; `any` where both verifiers must only agree. */
  readonly expected: 'ok' | 'tampered' | 'unsigned' | 'bad' | 'any'
}

type Path = readonly (string | number)[]

/** Every place in a value: its own, those of its members, of theirs, and so on. */
export function placesOf(
  value: Json,
  path: Path = [],
): readonly { readonly path: Path; readonly value: Json }[] {
  const below = Array.isArray(value)
    ? value.flatMap((item, index) => placesOf(item, [...path, index]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))
      : []
  return [{ path, value }, ...below]
}

/** The value with another one in that place; `undefined` takes it out. */
function withPlace(value: Json, [first, ...rest]: Path, other: Json | undefined): Json {
  if (first === undefined) return other ?? null
  const inner = (value as Readonly<Record<string | number, Json>>)[first] ?? null
  const changed = rest.length === 0 ? other : withPlace(inner, rest, other)
  if (Array.isArray(value))
    return value.flatMap((item, index) => (index !== first ? [item] : changed === undefined ? [] : [changed]))
  const others = Object.entries(value as Claims).filter(([name]) => name !== first)
  return Object.fromEntries([...others, ...(changed === undefined ? [] : [[first, changed] as const])])
}

/** Other values that could stand there, none of them the same. */
function othersOf(value: Json, random: Random): readonly Json[] {
  if (value === null) return ['', '2031-01-01T00:00:00.000Z', 0, random.id('usr')]
  if (typeof value === 'number')
    return [value + 1, value + 2 ** 40, -1, 0.5, null, String(value)].filter(n => n !== value)
  if (typeof value === 'boolean') return [!value]
  if (typeof value === 'string') return othersOfText(value, random)
  if (Array.isArray(value)) {
    const [first] = value
    return [null, [...value, first ?? 'more'], ...(value.length === 0 ? [] : [value.slice(1), []])]
  }
  return [null, [], { ...value, more: 1 }, {}]
}

function othersOfText(text: string, random: Random): readonly Json[] {
  const at = random.int(Math.max(1, text.length))
  const unit = text.charAt(at) === '1' ? '2' : '1'
  const altered = `${text.slice(0, at)}${unit}${text.slice(at + 1)}`
  const similar = /^[a-z]{3}_/.test(text)
    ? [random.id(text.slice(0, 3))]
    : /^\d{4}-/.test(text)
      ? [new Date(Date.parse(text) - 1).toISOString(), new Date(Date.parse(text) + 86_400_000).toISOString()]
      : [randomBytes(32).toString('base64'), 'recording', 'voicemail', 'recovery', 'primary', 'intake']
  return ['', null, `${text} `, text.slice(0, -1), altered, ...similar].filter(other => other !== text)
}

/** Claims that nothing in the log speaks of. */
const isFree = (path: Path): boolean => path.join('.') === 'iat'

/**
 * Each claim altered at least in one way, and in a share of all others, under the old signature and under a new one by the
 * genuine key.
 */
export function alteredClaims(made: MadeCertificate, random: Random, share: number): CertificateCase[] {
  const { claims, jws, jwks, policy, shape } = made
  const signature = jws.slice(jws.lastIndexOf('.'))
  const head = jws.slice(0, jws.indexOf('.'))
  const cases: CertificateCase[] = []
  for (const { path, value } of placesOf(claims)) {
    const changes = path.length === 0 ? [{}] : [undefined, ...othersOf(value, random)]
    // A signature of the log's own key counts where the policy names that key.
    const isLoose =
      isFree(path) || ((shape.namesLogKey ?? true) === false && path.join('.') === 'log.checkpoint')
    const always = random.int(changes.length)
    for (const [index, other] of changes.entries()) {
      if (index !== always && !random.chance(share)) continue
      const changed = withPlace(claims, path, other) as Claims
      const name = `${path.join('.')}: ${other === undefined ? 'gone' : JSON.stringify(other).slice(0, 40)}`
      const text = Buffer.from(`${head}.${encoded(spelled(changed))}${signature}`)
      cases.push({ name: `${name}, not signed again`, text, jwks, policy, expected: 'tampered' })
      const signed = Buffer.from(made.sign(changed))
      cases.push({
        name: `${name}, signed again`,
        text: signed,
        jwks,
        policy,
        expected: isLoose ? 'any' : 'bad',
      })
    }
  }
  return cases
}

/** What is done to the text, the keys or the policy, or by somebody who has more than one key. */
export function otherCases(made: MadeCertificate, other: MadeCertificate, random: Random): CertificateCase[] {
  const { claims, jws, jwks, policy } = made
  const [head = '', payload = '', signature = ''] = jws.split('.')
  const one = (
    name: string,
    text: string | Buffer,
    expected: CertificateCase['expected'],
  ): CertificateCase => ({
    ...{ name, text: Buffer.from(text), jwks, policy, expected },
  })
  const said = claims as Claims & { readonly log: Claims & { readonly anchor: Claims } }
  const flipped = (at: number) => {
    const bytes = Buffer.from(jws)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.int(7)), at)
    return bytes
  }
  const forger = ed25519Key(random)
  const again = (change: Parameters<MadeCertificate['prove']>[1]) => made.sign(made.prove(claims, change))
  const event = (change: object) => again({ event: event => ({ ...event, ...change }) })
  const payloadOf = (text: string) => `${head}.${encoded(text)}.${signature}`
  const json = spelled(claims)
  return [
    one('as it is', jws, 'ok'),
    one('with a line feed', `${jws}\n`, 'ok'),
    one('with two', `${jws}\n\n`, 'tampered'),
    one('with CR LF', `${jws}\r\n`, 'tampered'),
    one('behind a space', ` ${jws}`, 'tampered'),
    one('nothing', '', 'tampered'),
    one('no signature', `${head}.${payload}.`, 'tampered'),
    one('no signature at all', `${head}.${payload}`, 'tampered'),
    one('a part more', `${jws}.AAAA`, 'tampered'),
    one('a signature of another', `${head}.${payload}.${other.jws.split('.')[2]}`, 'tampered'),
    one('a payload of another', `${head}.${other.jws.split('.')[1]}.${signature}`, 'tampered'),
    one('padded', `${head}.${payload}.${signature}==`, 'tampered'),
    one('a longer signature', `${head}.${payload}.${signature}AA`, 'tampered'),
    one('too long a file', `${jws}${' '.repeat(131_072)}`, 'tampered'),
    one('white space in the claims', payloadOf(`${json} `), 'tampered'),
    one('a member doubled', payloadOf(json.replace('{', '{"iat":1,')), 'tampered'),
    one(
      'an escape',
      payloadOf(json.replace('voicemail', 'voicem\\u0061il').replace('recording"', 'recordin\\u0067"')),
      'tampered',
    ),
    one('a byte order mark', payloadOf(`\ufeff${json}`), 'tampered'),
    one('no object', payloadOf('[]'), 'tampered'),
    one('no JSON', payloadOf('{'), 'tampered'),
    one(
      'not UTF-8',
      `${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
      'tampered',
    ),
    ...[{ alg: 'none' }, { alg: 'HS256' }, { typ: 'JWT' }, { crit: [] }, { jwk: {} }, { kid: null }].map(
      change => one(`header ${JSON.stringify(change)}`, made.sign(claims, change), 'tampered'),
    ),
    one(
      'the other algorithm',
      made.sign(claims, { alg: made.shape.algorithm === 'ES256' ? 'EdDSA' : 'ES256' }),
      'tampered',
    ),
    one('a key that is not there', made.sign(claims, { kid: 'another' }), 'unsigned'),
    { ...one('keys of somebody else', jws, 'unsigned'), jwks: other.jwks },
    { ...one('no keys', jws, 'unsigned'), jwks: '{"keys":[]}' },
    {
      ...one('keys without form', jws, 'unsigned'),
      jwks: '{"keys":[null,1,[],{},{"kid":1},{"kid":"a","kty":"OKP"}]}',
    },
    {
      ...one('a key of that name that is none of its curve', jws, 'tampered'),
      jwks: jwks.replace(/"x":"[^"]{43}"/g, `"x":"${Buffer.alloc(32, 2).toString('base64url')}"`),
    },
    { ...one('a policy of somebody else', jws, 'unsigned'), policy: other.policy },
    ...Array.from({ length: 40 }, () => one('a bit anywhere', flipped(random.int(jws.length)), 'bad')),
    one('an event of another action', event({ action: 'recording.destroying' }), 'tampered'),
    one(
      'an event of another recording',
      event({ object: { type: 'recording', id: random.id('rec'), version: null } }),
      'tampered',
    ),
    one(
      'an event about another thing',
      event({ object: { type: 'export', id: said['recording'], version: null } }),
      'tampered',
    ),
    one('an event about nothing', event({ object: null }), 'tampered'),
    one('an event of another tenant', event({ tenant: random.id('ten') }), 'tampered'),
    one('an event at another time', event({ at: '2029-01-01T00:00:00.000Z' }), 'tampered'),
    one('an event without a detail', event({ detail: undefined }), 'tampered'),
    one('an event of another kind', event({ detail: { kind: 'found', count: 1 } }), 'tampered'),
    ...['disposition', 'rule', 'version', 'objects', 'bytes', 'claims'].map(name =>
      one(
        `an event with another ${name}`,
        again({
          event: event => {
            const value = (event.detail as Record<string, unknown>)[name]
            const changed =
              typeof value === 'number'
                ? value + 1
                : name === 'claims'
                  ? Buffer.alloc(32).toString('base64')
                  : random.id(name.slice(0, 1) === 'd' ? 'dsp' : 'rul')
            return { ...event, detail: { ...event.detail, [name]: changed } as typeof event.detail }
          },
        }),
        'tampered',
      ),
    ),
    one(
      'an event that commits to nothing',
      again({
        event: ({ detail, ...event }) =>
          detail?.kind === 'disposal' ? { ...event, detail: { ...detail, claims: undefined } } : event,
      }),
      'tampered',
    ),
    one('a log of a forger', again({ logKey: forger }), (made.shape.namesLogKey ?? true) ? 'unsigned' : 'ok'),
    one('an anchor of a forger', again({ anchorKey: forger }), 'unsigned'),
    one('an anchor that holds another root', again({ anchoredRoot: random.bytes(32) }), 'tampered'),
    one(
      'an anchor that no witness saw',
      made.sign(unseen(claims)),
      (made.shape.witnesses ?? 0) > 0 ? 'unsigned' : 'ok',
    ),
    one(
      'the log of another certificate',
      made.sign({ ...claims, log: other.claims['log'] ?? null }),
      'tampered',
    ),
    one(
      'the anchor of another',
      made.sign({ ...claims, log: { ...said.log, anchor: (other.claims as typeof said).log.anchor } }),
      'tampered',
    ),
    one(
      'other claims, and an event that commits to them',
      made.sign(made.prove({ ...claims, keptUntil: '2020-01-01T00:00:00.000Z' })),
      'ok',
    ),
    one(
      'claims that contradict each other, in the log',
      made.sign(made.prove({ ...claims, lastCopyAt: '2020-01-01T00:00:00.000Z' })),
      'tampered',
    ),
    one(
      'somebody who approves what they propose',
      made.sign(made.prove(selfApproved(claims, random))),
      'tampered',
    ),
    one('one person who approves twice', made.sign(made.prove(twiceApproved(claims, random))), 'tampered'),
    one(
      'an object twice',
      made.sign(made.prove({ ...claims, objects: twice(claims['objects'] ?? null) })),
      'tampered',
    ),
    one(
      'kept for longer',
      made.sign(made.prove({ ...claims, keptUntil: '2999-01-01T00:00:00.000Z' })),
      'tampered',
    ),
    one(
      'held',
      made.sign(made.prove({ ...claims, holdCheck: { at: claims['destroyedAt'] ?? null, holds: 1 } })),
      'tampered',
    ),
  ]
}

/** Without the signatures behind the anchor's own. */
function unseen(claims: Claims): Claims {
  const note = (claims as { log: { anchor: { checkpoint: string } } }).log.anchor.checkpoint
  const end = note.indexOf('\n', note.indexOf('\n\n') + 2) + 1
  return withPlace(claims, ['log', 'anchor', 'checkpoint'], note.slice(0, end)) as Claims
}

const approver = (id: string, stage: number, at: Json): Json => ({ id, stage, at })
const twice = (list: Json): Json => (Array.isArray(list) ? [...list, ...list.slice(0, 1)] : list)

function selfApproved(claims: Claims, random: Random): Claims {
  const id = random.id('usr')
  return { ...claims, proposedBy: id, approvers: [approver(id, 1, claims['destroyedAt'] ?? null)] }
}

function twiceApproved(claims: Claims, random: Random): Claims {
  const id = random.id('usr')
  const at = claims['destroyedAt'] ?? null
  return { ...claims, proposedBy: null, approvers: [approver(id, 1, at), approver(id, 2, at)] }
}
