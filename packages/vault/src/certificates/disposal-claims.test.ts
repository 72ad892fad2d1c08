// What a certificate will say: who may hold a copy and until when, and nothing that the log could not commit to.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { claimsHash, disposedDetail } from '@auricle/audit'
import {
  DisposalClaims,
  newCertificateId,
  newDispositionId,
  newRecordingId,
  newRuleId,
  newTenantId,
  newUserId,
} from '@auricle/contract'
import fc from 'fast-check'
import { type Disposal, disposalClaims, type Gone } from './disposal-claims.ts'

const dayMs = 86_400_000
const at = new Date('2036-03-01T12:00:00.000Z')
const days = (count: number) => new Date(at.getTime() + count * dayMs)

const gone: Gone = {
  ...{ store: 'primary', key: 'recordings/a/b/c/original', generation: '17', role: 'original' },
  ...{ sealedBytes: 48_512, fingerprint: new Uint8Array(32).fill(0xab), destroyedAt: at },
  restorableUntil: null,
}

const disposal: Disposal = {
  ...{ id: newCertificateId(), tenantId: newTenantId(), recordingId: newRecordingId(), kind: 'voicemail' },
  ...{ receivedAt: days(-3653), destroyedAt: at, keptUntil: days(-9), holdsCheckedAt: at },
  rule: { id: newRuleId(), version: 3 },
  disposition: {
    ...{ id: newDispositionId(), proposedBy: null },
    approvers: [
      { stage: 1, id: newUserId(), at: days(-8) },
      { stage: 2, id: newUserId(), at: days(-7) },
    ],
  },
  objects: [gone],
}

describe('the claims of a disposal', () => {
  test('name no copy where there is none, and what stays sealed in the vault itself', () => {
    const claims = disposalClaims(disposal, 0)
    assert.deepEqual(claims.copies, [])
    assert.equal(claims.lastCopyAt, at.toISOString())
    const sealedUnder = `tenants/${disposal.tenantId}/recordings`
    assert.deepEqual(claims.method.remains, [
      { what: 'database_free_space', sealedUnder },
      { what: 'log_private_parts', sealedUnder },
    ])
    assert.equal(claims.objects[0]?.fingerprint, 'ab'.repeat(32))
  })

  test('name each place that holds a copy until the last of it is gone', () => {
    const objects: Gone[] = [
      { ...gone, restorableUntil: days(7) },
      { ...gone, role: 'playback', key: 'recordings/a/b/c/playback', restorableUntil: days(6) },
      { ...gone, store: 'recovery', restorableUntil: days(90) },
    ]
    const claims = disposalClaims({ ...disposal, objects }, 35)
    assert.deepEqual(claims.copies, [
      { where: 'primary', until: days(7).toISOString() },
      { where: 'recovery', until: days(90).toISOString() },
      { where: 'database_backups', until: days(35).toISOString() },
    ])
    assert.equal(claims.lastCopyAt, days(90).toISOString())
    assert.equal(claims.method.remains[0]?.what, 'copies')
  })

  test('end with the last copy, whatever the stores and backups keep', () => {
    const until = fc.option(fc.integer({ min: 1, max: 90 }))
    fc.assert(
      fc.property(fc.array(until, { minLength: 1, maxLength: 6 }), fc.nat(100), (untils, backupDays) => {
        const objects = untils.map(
          (count, index): Gone => ({
            ...gone,
            store: index % 2 === 0 ? 'primary' : 'recovery',
            restorableUntil: count === null ? null : days(count),
          }),
        )
        const { lastCopyAt, copies } = disposalClaims({ ...disposal, objects }, backupDays)
        const last = Math.max(0, backupDays, ...untils.map(count => count ?? 0))
        assert.equal(lastCopyAt, days(last).toISOString())
        assert.ok(copies.every(copy => copy.until <= lastCopyAt))
      }),
    )
  })

  test('are what the event commits to, in whatever order they are read again', () => {
    const claims = disposalClaims(disposal, 35)
    const shuffled = Object.fromEntries(Object.entries(claims).reverse())
    assert.equal(claimsHash(DisposalClaims.parse(shuffled)), claimsHash(claims))
    assert.deepEqual(disposedDetail(claims), {
      ...{ kind: 'disposal', disposition: claims.disposition, rule: claims.rule.id, version: 3 },
      ...{ objects: 1, bytes: 48_512, claims: claimsHash(claims) },
    })
    assert.notEqual(claimsHash({ ...claims, kind: 'recording' }), claimsHash(claims))
  })

  test('are refused where they could not be', () => {
    assert.throws(() => disposalClaims({ ...disposal, objects: [] }, 35))
    assert.throws(() => claimsHash({ ...disposalClaims(disposal, 35), keptUntil: 'never' }), {
      code: 'bad_certificate',
    })
  })
})
