// Holds opaque tokens to their form: typos are known without a look-up, and nothing else passes for one.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { newTokenId } from '@auricle/contract'
import fc from 'fast-check'
import {
  isOpaqueToken,
  newInvitation,
  newOpaqueToken,
  parseInvitation,
  parseOpaqueToken,
} from './opaque-token.ts'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const countingUp = (length: number) => Uint8Array.from({ length }, (_, i) => i)
const sha256 = (text: string) => Uint8Array.from(createHash('sha256').update(text).digest())
const tokenId = newTokenId({ now: () => Date.parse('2026-11-26T08:00:00Z'), random: countingUp })

test('a token, to the byte', () => {
  const { text, hash } = newOpaqueToken('personal', tokenId, countingUp)
  const head = `aur_pat_${tokenId.slice(4)}_${alphabet}`
  const bits = crc32(head).toString(2).padStart(35, '0')
  const checksum = (bits.match(/.{5}/g) ?? []).map(five => alphabet.charAt(Number.parseInt(five, 2))).join('')
  assert.equal(text, head + checksum)
  assert.equal(text.length, 74)
  assert.deepEqual(hash, sha256(`auricle opaque token 1\x00${text}`))
  assert.match(
    newOpaqueToken('service', tokenId).text,
    /^aur_svc_[0-9a-hjkmnp-tv-z]{26}_[0-9a-hjkmnp-tv-z]{39}$/,
  )
  assert.notEqual(newOpaqueToken('service', tokenId).text, newOpaqueToken('service', tokenId).text)

  const invitation = newInvitation(countingUp)
  assert.ok(invitation.text.startsWith(`aur_inv_${alphabet}`))
  assert.equal(invitation.text.length, 47)
  assert.deepEqual(invitation.hash, sha256(`auricle invitation 1\x00${invitation.text}`))
})

test('the vectors of docs/sign-in.md', () => {
  const ulid = '01jd3w8h9k6n2q4s5t7v8x9y0z'
  const texts = [
    `aur_pat_${ulid}_${alphabet}0dgjvqd`,
    `aur_svc_${ulid}_${alphabet}3zhyxcw`,
    `aur_inv_${alphabet}1rc8m6k`,
  ]
  const hashes = texts.map(text => (parseOpaqueToken(text) ?? parseInvitation(text))?.hash)
  assert.deepEqual(
    hashes.map(hash => hash && Buffer.from(hash).toString('hex')),
    [
      'ca7203985c38767edcfb2a7d0eb349139f08bd557eec10258c422b82515a3698',
      'f384d02c2b125bde3b0d1894c043538ca134d83b058e2a8645d7564df210fa0d',
      '47ac30f116f43519cd0ee13afeeac0ecccae70b9760e5746ac198161515e8bb8',
    ],
  )
})

test('what was made is read again', () => {
  fc.assert(
    fc.property(fc.constantFrom('personal', 'service'), kind => {
      const id = newTokenId()
      const { text, hash } = newOpaqueToken(kind, id)
      assert.deepEqual(parseOpaqueToken(text), { kind, tokenId: id, hash })
      assert.equal(isOpaqueToken(text), true)
      assert.equal(parseInvitation(text), null)
      const invitation = newInvitation()
      assert.deepEqual(parseInvitation(invitation.text), { hash: invitation.hash })
      assert.equal(parseOpaqueToken(invitation.text), null)
      assert.equal(isOpaqueToken(invitation.text), false)
    }),
  )
})

test('one wrong character, or two neighbours exchanged, is known before any look-up', () => {
  const tokens = [newOpaqueToken('personal', tokenId).text, newOpaqueToken('service', newTokenId()).text]
  const parse = (text: string) => parseOpaqueToken(text) ?? parseInvitation(text)
  for (const text of [...tokens, newInvitation().text]) {
    assert.notEqual(parse(text), null)
    const characters = [...text]
    for (const [i, character] of characters.entries()) {
      for (const other of `${alphabet}_ ${character.toUpperCase()}`) {
        if (other !== character) assert.equal(parse(characters.with(i, other).join('')), null)
      }
      const next = characters[i + 1]
      if (next !== undefined && next !== character)
        assert.equal(
          parse(
            characters
              .with(i, next)
              .with(i + 1, character)
              .join(''),
          ),
          null,
        )
    }
  }
})

test('there is one spelling, and nothing around it', () => {
  const { text } = newOpaqueToken('personal', tokenId)
  for (const other of [
    text.toUpperCase(),
    ` ${text}`,
    `${text}\n`,
    text.slice(1),
    text.slice(0, -1),
    `${text}0`,
    `Bearer ${text}`,
    text.replace('aur_pat_', 'aur_svc_'),
    text + text,
    '',
  ]) {
    assert.equal(parseOpaqueToken(other), null)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), other => {
      assert.equal(parseOpaqueToken(other), null)
      assert.equal(parseInvitation(other), null)
    }),
  )
})

test('a token whose id is none is none, though its checksum is right', () => {
  // A ULID begins with 0 to 7: 48 bits of time.
  const id = `tok_8${'0'.repeat(25)}` as typeof tokenId
  assert.equal(parseOpaqueToken(newOpaqueToken('personal', id).text), null)
})
