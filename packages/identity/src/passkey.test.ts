// Holds passkeys to an authenticator that really signs, and to what an attacker would make of its answers.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newUserId, type UserId } from '@auricle/contract'
import fc from 'fast-check'
import {
  type Authenticator,
  type Cbor,
  createAuthenticator,
  flag,
  type KeyKind,
  type Said,
  testOrigin,
  testRpId,
} from '../../../test/authenticator.ts'
import { IdentityError, type IdentityErrorCode } from './error.ts'
import { createPasskeys, type Passkey } from './passkey.ts'
import { credentialIdOf, userHandleOf } from './passkey-response.ts'

const now = new Date('2026-11-26T08:00:00Z')
const passkeys = createPasskeys({
  rpId: testRpId,
  rpName: 'Auricle',
  origins: [testOrigin, 'https://vault.example.org:8443'],
  now: () => now,
})
const userId = newUserId()
const user = { id: userId, login: 'clinician', name: 'A clinician' }
const isCode = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

async function register(authenticator: Authenticator, lies: Partial<Said> = {}): Promise<Passkey> {
  const { challenge } = await passkeys.registrationOptions({ user, existing: [] })
  return passkeys.verifyRegistration({ response: authenticator.register(challenge, lies), challenge })
}

async function assertWith(
  authenticator: Authenticator,
  passkey: Passkey,
  lies: Partial<Said> = {},
  owner: UserId = userId,
) {
  const { challenge } = await passkeys.assertionOptions()
  return passkeys.verifyAssertion({
    response: authenticator.assert(challenge, lies),
    challenge,
    passkey,
    userId: owner,
  })
}

test('what the browser is asked', async () => {
  const existing = randomBytes(32).toString('base64url')
  const { options, challenge, expiresAt } = await passkeys.registrationOptions({ user, existing: [existing] })
  assert.deepEqual(options.rp, { id: testRpId, name: 'Auricle' })
  assert.deepEqual(options.user, {
    id: Buffer.from(userId).toString('base64url'),
    name: 'clinician',
    displayName: 'A clinician',
  })
  assert.deepEqual(
    options.pubKeyCredParams.map(({ alg }) => alg),
    [-7, -8, -257],
  )
  assert.equal(options.attestation, 'none')
  assert.equal(options.authenticatorSelection?.residentKey, 'required')
  assert.equal(options.authenticatorSelection?.userVerification, 'required')
  assert.deepEqual(options.excludeCredentials, [{ id: existing, type: 'public-key' }])
  assert.match(challenge, /^[A-Za-z0-9_-]{43}$/)
  assert.equal(options.challenge, challenge)
  assert.equal(expiresAt.getTime() - now.getTime(), options.timeout)

  const open = await passkeys.assertionOptions()
  assert.equal(open.options.allowCredentials, undefined)
  assert.equal(open.options.userVerification, 'required')
  assert.equal(open.options.rpId, testRpId)
  assert.notEqual(open.challenge, challenge)
  const narrow = await passkeys.assertionOptions({ allow: [existing] })
  assert.deepEqual(narrow.options.allowCredentials, [{ id: existing, type: 'public-key' }])
  const fixed = createPasskeys({
    rpId: testRpId,
    rpName: 'A',
    origins: [],
    random: length => new Uint8Array(length),
  })
  assert.equal((await fixed.assertionOptions()).challenge, 'A'.repeat(43))
})

for (const kind of ['ES256', 'EdDSA', 'RS256'] as const) {
  test(`registers and signs in again and again: ${kind}`, async () => {
    const authenticator = createAuthenticator(kind, { userHandle: userId })
    let passkey = await register(authenticator)
    assert.equal(passkey.credentialId, authenticator.credentialId)
    assert.equal(passkey.signCount, 1)
    assert.deepEqual(passkey.transports, ['hybrid', 'internal'])
    assert.equal(passkey.deviceType, 'singleDevice')
    assert.equal(passkey.backedUp, false)
    assert.equal(passkey.aaguid, '00000000-0000-0000-0000-000000000000')
    for (const signCount of [2, 3, 4]) {
      const changed = await assertWith(authenticator, passkey)
      assert.deepEqual(changed, { signCount, backedUp: false })
      passkey = { ...passkey, ...changed }
    }
    // As the database gives it back: a view into a larger buffer.
    const stored = Buffer.concat([Buffer.alloc(7), passkey.publicKey]).subarray(7)
    await assertWith(authenticator, { ...passkey, publicKey: stored })
  })
}

test('a synchronised passkey does not count, and may begin to be backed up', async () => {
  const authenticator = createAuthenticator('ES256', { counts: false })
  const flags = flag.present | flag.verified | flag.canBackUp
  const passkey = await register(authenticator, { flags: flags | flag.credential })
  assert.equal(passkey.signCount, 0)
  assert.equal(passkey.deviceType, 'multiDevice')
  for (const backedUp of [false, true, true]) {
    const given = backedUp ? flags | flag.backedUp : flags
    assert.deepEqual(await assertWith(authenticator, passkey, { flags: given }), { signCount: 0, backedUp })
  }
  // One that could never leave its machine cannot suddenly.
  await assert.rejects(
    assertWith(authenticator, passkey, { flags: flag.present | flag.verified }),
    isCode('bad_credentials'),
  )
})

test('an attestation that the key made itself is accepted, a certified or forged one is not', async () => {
  const own = new Map<string, Cbor>([
    ['alg', -7],
    ['sig', 'own'],
  ])
  await register(createAuthenticator(), { format: 'packed', statement: own })
  const forged = new Map<string, Cbor>([...own, ['sig', randomBytes(70)]])
  const certified = new Map<string, Cbor>([...own, ['x5c', [randomBytes(300)]]])
  for (const [format, statement] of [
    ['packed', forged],
    ['packed', certified],
    ['fido-u2f', certified],
    ['tpm', own],
    ['apple', certified],
    ['android-key', certified],
    ['android-safetynet', own],
    ['none', own],
    ['else', new Map()],
  ] as const) {
    await assert.rejects(register(createAuthenticator(), { format, statement }), isCode('malformed'), format)
  }
  // Refused before its certificates are read.
  await assert.rejects(
    register(createAuthenticator(), { format: 'packed', statement: certified }),
    (error: unknown) => error instanceof Error && /not asked for/.test(String(error.cause)),
  )
})

const both: readonly (readonly [string, Partial<Said>])[] = [
  ['another origin', { origin: 'https://vault.example.com' }],
  ['an origin without TLS', { origin: 'http://vault.example.org' }],
  ['an origin below', { origin: 'https://a.vault.example.org' }],
  ['an origin with another port', { origin: 'https://vault.example.org:444' }],
  ['another relying party', { rpId: 'example.org' }],
  ['another challenge', { challenge: randomBytes(32).toString('base64url') }],
  ['an empty challenge', { challenge: '' }],
  ['a foreign frame', { clientData: { crossOrigin: true } }],
  ['a foreign frame that is named', { clientData: { crossOrigin: true, topOrigin: 'https://else.example' } }],
  ['a foreign frame that is denied', { clientData: { topOrigin: 'https://else.example' } }],
]

for (const [name, lies] of [
  ...both,
  ['an assertion', { type: 'webauthn.get' }],
  ['no user verified', { flags: flag.present | flag.credential }],
  ['no user present', { flags: flag.verified | flag.credential }],
  ['no credential', { flags: flag.present | flag.verified }],
  ['backed up but cannot be', { flags: flag.present | flag.verified | flag.backedUp | flag.credential }],
] as const) {
  test(`no registration: ${name}`, async () => {
    await assert.rejects(register(createAuthenticator(), lies), isCode('malformed'))
  })
}

for (const kind of ['none', 'P-384', 'RSA-1024', 'ES256K'] satisfies KeyKind[]) {
  test(`no registration: a key of the kind ${kind}`, async () => {
    await assert.rejects(register(createAuthenticator(kind)), isCode('malformed'))
  })
}

test('no registration: the browser names another credential than the authenticator', async () => {
  const { challenge } = await passkeys.registrationOptions({ user, existing: [] })
  const { response } = createAuthenticator().register(challenge)
  const id = createAuthenticator().credentialId
  await assert.rejects(
    passkeys.verifyRegistration({ response: { id, rawId: id, type: 'public-key', response }, challenge }),
    isCode('malformed'),
  )
})

const own = createAuthenticator('ES256', { userHandle: userId })
const ownPasskey = await register(own)

for (const [name, lies] of [
  ...both,
  ['a registration', { type: 'webauthn.create' }],
  ['no user verified', { flags: flag.present }],
  ['no user present', { flags: flag.verified }],
  ['nobody at all', { flags: 0 }],
  ['the sign count of before', { signCount: ownPasskey.signCount }],
  ['no sign count any more', { signCount: 0 }],
  ['a credential inside', { flags: flag.present | flag.verified | flag.credential }],
  ['the name of another user', { userHandle: newUserId() }],
] as const) {
  test(`no sign-in: ${name}`, async () => {
    const expected = 'clientData' in lies ? 'malformed' : 'bad_credentials'
    await assert.rejects(assertWith(own, ownPasskey, lies), isCode(expected))
  })
}

test('no sign-in: a sign count that went back from a higher one', async () => {
  await assert.rejects(
    assertWith(own, { ...ownPasskey, signCount: 4000 }, { signCount: 3999 }),
    (error: unknown) => isCode('bad_credentials')(error) && /copied/.test(String((error as Error).cause)),
  )
})

test('no sign-in: an answer that was given before', async () => {
  const first = await passkeys.assertionOptions()
  const response = own.assert(first.challenge)
  const given = { response, challenge: first.challenge }
  const changed = await passkeys.verifyAssertion({ ...given, passkey: ownPasskey })
  await assert.rejects(
    passkeys.verifyAssertion({ ...given, passkey: { ...ownPasskey, ...changed } }),
    isCode('bad_credentials'),
  )
  const { challenge } = await passkeys.assertionOptions()
  await assert.rejects(
    passkeys.verifyAssertion({ response, challenge, passkey: ownPasskey }),
    isCode('bad_credentials'),
  )
})

test('no sign-in: the passkey of another user, or their key under our id', async () => {
  const other = createAuthenticator('ES256', { userHandle: userId })
  const otherPasskey = await register(other)
  await assert.rejects(assertWith(other, ownPasskey), isCode('bad_credentials'))
  await assert.rejects(assertWith(own, otherPasskey), isCode('bad_credentials'))
  await assert.rejects(assertWith(own, ownPasskey, {}, newUserId()), isCode('bad_credentials'))
  const misfiled = { ...ownPasskey, credentialId: other.credentialId }
  await assert.rejects(assertWith(own, misfiled), isCode('bad_credentials'))
  const { challenge } = await passkeys.assertionOptions()
  const renamed = { ...other.assert(challenge), id: own.credentialId, rawId: own.credentialId }
  await assert.rejects(
    passkeys.verifyAssertion({ response: renamed, challenge, passkey: ownPasskey }),
    isCode('bad_credentials'),
  )
})

// Not ES256, whose signatures have more than one spelling in DER that the library accepts: the challenge, which is
// taken once, keeps an answer from being given twice.
test('no sign-in: any byte of an answer altered', async () => {
  const edwards = createAuthenticator('EdDSA')
  const passkey = await register(edwards)
  const { challenge } = await passkeys.assertionOptions()
  const answer = edwards.assert(challenge)
  await passkeys.verifyAssertion({ response: answer, challenge, passkey })
  const part = fc.constantFrom('clientDataJSON', 'authenticatorData', 'signature')
  await fc.assert(
    fc.asyncProperty(part, fc.nat(), fc.integer({ min: 1, max: 255 }), async (name, at, mask) => {
      const bytes = Buffer.from(String(answer.response[name]), 'base64url')
      const index = at % bytes.length
      bytes.writeUInt8(bytes.readUInt8(index) ^ mask, index)
      const response = { ...answer.response, [name]: bytes.toString('base64url') }
      await assert.rejects(
        passkeys.verifyAssertion({ response: { ...answer, response }, challenge, passkey }),
        (error: unknown) => isCode('bad_credentials')(error) || isCode('malformed')(error),
      )
    }),
    { numRuns: 300 },
  )
})

test('no sign-in: the numbers of an ES256 signature altered', async () => {
  const { challenge } = await passkeys.assertionOptions()
  const answer = own.assert(challenge, { signCount: 600 })
  const genuine = Buffer.from(String(answer.response['signature']), 'base64url')
  for (let back = 1; back <= 30; back++) {
    const bytes = Buffer.from(genuine)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - back) ^ 1, bytes.length - back)
    const response = { ...answer.response, signature: bytes.toString('base64url') }
    await assert.rejects(
      passkeys.verifyAssertion({ response: { ...answer, response }, challenge, passkey: ownPasskey }),
      isCode('bad_credentials'),
    )
  }
})

test('what is no answer is malformed, whatever it is', async () => {
  const { challenge } = await passkeys.assertionOptions()
  const assertion = own.assert(challenge)
  const registration = createAuthenticator().register(challenge)
  const refuse = async (response: unknown) => {
    await assert.rejects(passkeys.verifyRegistration({ response, challenge }), isCode('malformed'))
    await assert.rejects(
      passkeys.verifyAssertion({ response, challenge, passkey: ownPasskey }),
      isCode('malformed'),
    )
  }
  const large = 'A'.repeat(100_000)
  for (const broken of [{ type: 'password' }, { id: '' }, { id: large }, { id: 7 }, { response: null }]) {
    await refuse({ ...assertion, ...broken })
    await refuse({ ...registration, ...broken })
  }
  for (const [name, of] of [
    ['clientDataJSON', assertion],
    ['authenticatorData', assertion],
    ['signature', assertion],
    ['userHandle', assertion],
    ['attestationObject', registration],
  ] as const) {
    for (const value of [large, '', 'a b', 'AAAA=', 'AB', 7, [], {}])
      await refuse({ ...of, response: { ...of.response, [name]: value } })
  }
  for (const transports of [Array(17).fill('usb'), ['x'.repeat(33)], 'usb', [1]])
    await refuse({ ...registration, response: { ...registration.response, transports } })
  await fc.assert(
    fc.asyncProperty(fc.anything(), value => refuse(value)),
    { numRuns: 100 },
  )
})

test('an attestation object of any bytes is malformed, never another failure', async () => {
  const { challenge } = await passkeys.registrationOptions({ user, existing: [] })
  const answer = createAuthenticator().register(challenge)
  const genuine = Buffer.from(String(answer.response['attestationObject']), 'base64url')
  const deep = Buffer.alloc(4096, 0x81)
  const cut = fc.nat(genuine.length - 1).map(end => genuine.subarray(0, end))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(cut, fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.constant(deep)),
      async bytes => {
        fc.pre(bytes.length > 0)
        const response = {
          ...answer.response,
          attestationObject: Buffer.from(bytes).toString('base64url'),
        }
        await assert.rejects(
          passkeys.verifyRegistration({ response: { ...answer, response }, challenge }),
          isCode('malformed'),
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('a stored key that cannot be read is our fault, not theirs', async () => {
  for (const publicKey of [new Uint8Array(), randomBytes(77), ownPasskey.publicKey.subarray(1)])
    await assert.rejects(assertWith(own, { ...ownPasskey, publicKey }), isCode('bad_key'))
})

test('an unknown transport is dropped', async () => {
  const { challenge } = await passkeys.registrationOptions({ user, existing: [] })
  const answer = createAuthenticator().register(challenge)
  const response = { ...answer.response, transports: ['usb', 'thought', 'usb', 'nfc'] }
  const { transports } = await passkeys.verifyRegistration({ response: { ...answer, response }, challenge })
  assert.deepEqual(transports, ['nfc', 'usb'])
})

test('who signs in is read from the answer before it is verified, as a claim', async () => {
  const { challenge } = await passkeys.assertionOptions()
  const answer = own.assert(challenge)
  assert.equal(userHandleOf(answer), userId)
  assert.equal(credentialIdOf(answer), own.credentialId)
  for (const userHandle of [null, 'somebody', `${userId}x`, userId.toUpperCase()])
    assert.equal(userHandleOf(own.assert(challenge, { userHandle })), null)
  assert.equal(userHandleOf({ ...answer, response: { ...answer.response, userHandle: null } }), null)
  assert.throws(
    () => userHandleOf(own.assert(challenge, { userHandle: 'x'.repeat(65) })),
    isCode('malformed'),
  )
  assert.throws(() => userHandleOf(null), isCode('malformed'))
})

test('nothing that was sent is in a message', async () => {
  const lies = { origin: 'https://secret.example' }
  for (const outcome of [assertWith(own, ownPasskey, lies), register(createAuthenticator(), lies)]) {
    await assert.rejects(
      outcome,
      (error: unknown) => error instanceof Error && !/secret|example/.test(error.message),
    )
  }
})
