import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTenantId, newTokenId, newUserId, type TokenId } from '@auricle/contract'
import fc from 'fast-check'
import { createBearerVerifier } from './bearer-claims.ts'
import { newOpaqueToken } from './opaque-token.ts'

const owner = { tenantId: newTenantId(), userId: newUserId() }
const signedClaims = {
  ...owner,
  ...{ tokenId: newTokenId(), purpose: 'session' as const },
  ...{ issuedAt: new Date(0), expiresAt: new Date(1) },
}

function verifier(known: readonly TokenId[], maxOwners?: number) {
  const asked: string[] = []
  const verify = createBearerVerifier({
    verifySigned: async token => {
      asked.push(`signed ${token}`)
      return signedClaims
    },
    findTokenOwner: async tokenId => {
      asked.push(tokenId)
      return known.includes(tokenId) ? owner : null
    },
    ...(maxOwners === undefined ? {} : { maxOwners }),
  })
  return { verify, asked }
}

test('a signed token says whose it is, and has no secret', async () => {
  const { verify, asked } = verifier([])
  const { issuedAt: _, expiresAt: __, ...said } = signedClaims
  assert.deepEqual(await verify('a.b.c'), { ...said, secretHash: null })
  assert.deepEqual(asked, ['signed a.b.c'])
})

test('whose an opaque token is, is asked once for each id and not for each text', async () => {
  const tokenId = newTokenId()
  const { verify, asked } = verifier([tokenId])
  const { text, hash } = newOpaqueToken('personal', tokenId)
  const claims = { ...owner, tokenId, purpose: 'program', secretHash: hash }
  assert.deepEqual(await verify(text), claims)
  const guess = newOpaqueToken('personal', tokenId)
  assert.deepEqual(await verify(guess.text), { ...claims, secretHash: guess.hash })
  assert.deepEqual(asked, [tokenId])
})

test('an id that nobody has is asked for each time: it may be made yet', async () => {
  const { verify, asked } = verifier([])
  const { text } = newOpaqueToken('service', newTokenId())
  for (let time = 0; time < 2; time++) await assert.rejects(verify(text), { code: 'bad_token' })
  assert.equal(asked.length, 2)
})

test('no more owners are remembered than there may be', async () => {
  const ids = [newTokenId(), newTokenId(), newTokenId()]
  const texts = ids.map(id => newOpaqueToken('personal', id).text)
  const { verify, asked } = verifier(ids, 2)
  for (const text of texts) await verify(text)
  for (const text of texts.slice(1)) await verify(text)
  assert.equal(asked.length, 3)
  await verify(texts[0] ?? '')
  assert.equal(asked.length, 4)
})

test('what only looks like an opaque token is refused before anything is looked up', async () => {
  const text = newOpaqueToken('personal', newTokenId()).text
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), async (at, put) => {
      const altered = text.slice(0, at) + put + text.slice(at + 1)
      fc.pre(altered !== text && /^aur_(?:pat|svc)_/.test(altered))
      const { verify, asked } = verifier([])
      await assert.rejects(verify(altered), { code: 'bad_token' })
      assert.deepEqual(asked, [])
    }),
  )
})
