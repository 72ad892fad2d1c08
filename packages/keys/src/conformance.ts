// What every key service must do: the test cases that each adapter runs against itself.
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newTenantId, type TenantId, type Wrap } from '@auricle/contract'
import { flippedBits, refuses } from './conformance-checks.ts'
import { signingConformance } from './conformance-signing.ts'
import type { KeyName, KeyService } from './key-service.ts'

export interface KeyServiceUnderTest extends AsyncDisposable {
  readonly service: KeyService
  /** Another instance on the same keys, as another process would have it. */
  another(): Promise<KeyService>
}

export interface ConformanceOptions {
  /**
   * For a service where every call and every key costs and nothing can be removed: few keys, of random tenants, and
   * few calls. What only holds on a service without keys is left out, and so is what would touch keys that may be
   * somebody's. Default: false.
   */
  readonly sparing?: boolean | undefined
  /**
   * At least three, where it is sparing: keys of these and of no others are made, and another run finds them again.
   * Default: random ones.
   */
  readonly tenants?: readonly TenantId[] | undefined
  /**
   * `checked`: a wrap that states another version of its key is refused. `told`: the service does not say which
   * version unwrapped, so the statement is as good as what protects the wrap (the header's MAC of a sealed object).
   * Default: `checked`.
   */
  readonly wrapVersion?: 'checked' | 'told' | undefined
}

const dataKeyBytes = 32

/** Defines the cases; `makeService` gives each of them a service without keys, but where it is `sparing`. */
export function keyServiceConformance(
  makeService: () => Promise<KeyServiceUnderTest>,
  { sparing = false, tenants: given, wrapVersion = 'checked' }: ConformanceOptions = {},
): void {
  const tenants = given ?? Array.from({ length: 3 }, () => newTenantId())
  let used = 0
  /** A key that no other case has where keys cost nothing, else one of three. */
  const recordings = (): KeyName => {
    const tenantId = sparing ? tenants[used++ % tenants.length] : undefined
    return { purpose: 'recordings', tenantId: tenantId ?? newTenantId() }
  }
  const aad = Buffer.from('recording one')

  describe('key service', () => {
    test('a wrap opens to the same key', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const dataKey = randomBytes(dataKeyBytes)
      for (const context of [aad, new Uint8Array(), randomBytes(2000)]) {
        const wrap = await handle.wrap(dataKey, context)
        assert.deepEqual(Buffer.from(await handle.unwrap(wrap, context)), dataKey)
      }
    })

    test('two wraps of one key differ', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const dataKey = randomBytes(dataKeyBytes)
      const [one, other] = await Promise.all([
        subject.service.key(name).wrap(dataKey, aad),
        subject.service.key(name).wrap(dataKey, aad),
      ])
      assert.notEqual(one.wrapped, other.wrapped)
    })

    test('a data key of another size is refused', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      for (const size of [0, 16, 31, 33]) {
        await assert.rejects(subject.service.key(name).wrap(new Uint8Array(size), aad), RangeError)
      }
    })

    test('other context is refused', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const wrap = await handle.wrap(randomBytes(dataKeyBytes), aad)
      for (const other of ['', 'recording two', 'recording one ', 'Recording one']) {
        await refuses(handle.unwrap(wrap, Buffer.from(other)), 'not_authentic')
      }
    })

    test('every flipped bit of a wrap is refused', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const wrap = await handle.wrap(randomBytes(dataKeyBytes), aad)
      const bytes = Buffer.from(wrap.wrapped, 'base64url')
      for (const altered of flippedBits(bytes, sparing ? 101 : 1)) {
        const wrapped = altered.toString('base64url')
        await refuses(handle.unwrap({ ...wrap, wrapped }, aad), 'not_authentic')
      }
      for (const text of ['', 'A', `${wrap.wrapped}A`, wrap.wrapped.slice(0, -1), `${wrap.wrapped}=`, '!']) {
        await refuses(handle.unwrap({ ...wrap, wrapped: text }, aad), 'not_authentic')
      }
    })

    test('a wrap that says it is of another kind or version is refused', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const wrap = await handle.wrap(randomBytes(dataKeyBytes), aad)
      const lies: Partial<Wrap>[] = [
        { kms: 'other' },
        { key: `${wrap.key}x` },
        { keyVersion: `${wrap.keyVersion}x` },
        { keyVersion: '' },
        { protection: 'OTHER' },
        ...(wrapVersion === 'checked' ? [{ keyVersion: `${wrap.keyVersion}9` }] : []),
      ]
      for (const lie of lies) await refuses(handle.unwrap({ ...wrap, ...lie }, aad), 'not_authentic')
    })

    test('a wrap of another tenant or purpose is refused, also under a false name', async () => {
      await using subject = await makeService()
      const tenantId = sparing ? (tenants[0] ?? newTenantId()) : newTenantId()
      const mine: KeyName = { purpose: 'recordings', tenantId }
      const otherTenantId = sparing ? (tenants[1] ?? newTenantId()) : newTenantId()
      const others: KeyName[] = [
        { purpose: 'recordings', tenantId: otherTenantId },
        { purpose: 'connectors', tenantId },
      ]
      if (!sparing) others.push({ purpose: 'identity' })
      await subject.service.ensure(mine)
      const wrap = await subject.service.key(mine).wrap(randomBytes(dataKeyBytes), aad)
      for (const other of others) {
        await subject.service.ensure(other)
        const handle = subject.service.key(other)
        await refuses(handle.unwrap(wrap, aad), 'not_authentic')
        const { key } = await handle.wrap(randomBytes(dataKeyBytes), aad)
        await refuses(handle.unwrap({ ...wrap, key }, aad), 'not_authentic')
      }
    })

    test('a key that was never made neither wraps nor is made by that', async () => {
      await using subject = await makeService()
      const name: KeyName = { purpose: 'recordings', tenantId: newTenantId() }
      const handle = subject.service.key(name)
      await refuses(handle.wrap(randomBytes(dataKeyBytes), aad), 'unknown_key')
      await refuses(handle.wrap(randomBytes(dataKeyBytes), aad), 'unknown_key')
      await refuses(subject.service.rotate(name), 'unknown_key')
      if (given !== undefined) return
      await subject.service.ensure(name)
      await handle.wrap(randomBytes(dataKeyBytes), aad)
    })

    test('ensure from eight instances at once makes one key', async () => {
      await using subject = await makeService()
      const name = recordings()
      const services = await Promise.all(Array.from({ length: sparing ? 3 : 8 }, () => subject.another()))
      await Promise.all(services.map(service => service.ensure(name)))
      await crosswise(services, name)
    })

    test('ensure of eight keys at once loses none', async () => {
      await using subject = await makeService()
      const names = Array.from({ length: sparing ? 3 : 8 }, recordings)
      const services = await Promise.all(names.map(() => subject.another()))
      await Promise.all(names.map((name, index) => services[index]?.ensure(name)))
      for (const name of names) await crosswise(services, name)
    })

    test('ensure again changes nothing', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const before = await handle.wrap(randomBytes(dataKeyBytes), aad)
      await Promise.all([subject.service.ensure(name), subject.service.ensure(name)])
      const after = await handle.wrap(randomBytes(dataKeyBytes), aad)
      assert.equal(after.keyVersion, before.keyVersion)
      await handle.unwrap(before, aad)
    })

    test('after a rotation old wraps open and new ones are under the new version, everywhere', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const elsewhere = await subject.another()
      const handle = subject.service.key(name)
      const dataKey = randomBytes(dataKeyBytes)
      const wraps = [await handle.wrap(dataKey, aad)]
      for (let round = 0; round < (sparing ? 1 : 3); round++) {
        await subject.service.rotate(name)
        let wrap = await handle.wrap(dataKey, aad)
        // A service of many machines spreads it in its own time.
        for (let wait = 0; sparing && wait < 60 && wrap.keyVersion === wraps.at(-1)?.keyVersion; wait++) {
          await sleep(1000)
          wrap = await handle.wrap(dataKey, aad)
        }
        wraps.push(wrap)
      }
      // A real service may take hours until the new version wraps everywhere.
      if (!sparing) assert.equal(new Set(wraps.map(wrap => wrap.keyVersion)).size, wraps.length)
      for (const wrap of wraps) {
        assert.deepEqual(Buffer.from(await handle.unwrap(wrap, aad)), dataKey)
        assert.deepEqual(Buffer.from(await elsewhere.key(name).unwrap(wrap, aad)), dataKey)
        for (const other of wraps.filter(other => other !== wrap && wrapVersion === 'checked')) {
          await refuses(handle.unwrap({ ...wrap, keyVersion: other.keyVersion }, aad), 'not_authentic')
        }
      }
    })

    test('many wraps at once do not mix', async () => {
      await using subject = await makeService()
      const names = [recordings(), recordings(), recordings()]
      await Promise.all(names.map(name => subject.service.ensure(name)))
      await Promise.all(
        Array.from({ length: sparing ? 9 : 90 }, async (_, index) => {
          const handle = subject.service.key(names[index % names.length] ?? recordings())
          const [dataKey, context] = [randomBytes(dataKeyBytes), randomBytes(randomInt(100))]
          const wrap = await handle.wrap(dataKey, context)
          assert.deepEqual(Buffer.from(await handle.unwrap(wrap, context)), dataKey)
        }),
      )
    })

    test('an aborted call throws the reason', async () => {
      await using subject = await makeService()
      const name = recordings()
      await subject.service.ensure(name)
      const handle = subject.service.key(name)
      const wrap = await handle.wrap(randomBytes(dataKeyBytes), aad)
      const reason = new Error('the caller went away')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(handle.wrap(randomBytes(dataKeyBytes), aad, { signal }), reason)
      await assert.rejects(handle.unwrap(wrap, aad, { signal }), reason)
      await assert.rejects(
        subject.service.ensure({ purpose: 'recordings', tenantId: newTenantId() }, { signal }),
        reason,
      )
      await assert.rejects(subject.service.rotate(name, { signal }), reason)
      await assert.rejects(subject.service.inspect({ signal }), reason)
    })

    test('tells what it finds, and that nothing is bad', async () => {
      await using subject = await makeService()
      await subject.service.ensure(recordings())
      const findings = await subject.service.inspect()
      assert.ok(findings.length > 0)
      for (const { name, state, found, mend } of findings) {
        assert.notEqual(state, 'bad', found)
        assert.ok(name !== '' && found !== '')
        assert.equal(mend === null, state === 'ok', found)
      }
    })
  })

  signingConformance(makeService, { sparing, tenants, mayMake: given === undefined })

  /** What one instance wraps, every other unwraps. */
  async function crosswise(services: readonly KeyService[], name: KeyName): Promise<void> {
    const dataKey = randomBytes(dataKeyBytes)
    for (const service of services) {
      const wrap = await service.key(name).wrap(dataKey, aad)
      for (const other of services) {
        assert.deepEqual(Buffer.from(await other.key(name).unwrap(wrap, aad)), dataKey)
      }
    }
  }
}
