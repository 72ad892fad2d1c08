import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmod,
  chown,
  mkdtempDisposable,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { newTenantId, TenantId } from '@auricle/contract'
import { keyServiceConformance } from './conformance.ts'
import { KeyError, type KeyErrorCode } from './error.ts'
import type { AnyKeyName, KeyName, KeyService } from './key-service.ts'
import { createLocalKeyService } from './local-key-service.ts'

const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'keyring-'))
const fails = (call: Promise<unknown>, code: KeyErrorCode) =>
  assert.rejects(call, error => error instanceof KeyError && error.code === code)
const aad = Buffer.from('context')
const identity: KeyName = { purpose: 'identity' }

keyServiceConformance(async () => {
  const folder = await temporaryFolder()
  const file = join(folder.path, 'keyring.json')
  const service = await createLocalKeyService({ file })
  return {
    service,
    another: () => createLocalKeyService({ file }),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
})

describe('keyring file', () => {
  test('is made for its owner alone, in a folder for its owner alone', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'a', 'b', 'keyring.json')
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal((await stat(join(folder.path, 'a'))).mode & 0o777, 0o700)
    assert.equal((await stat(`${file}.previous`)).mode & 0o777, 0o600)
    assert.deepEqual((await readdir(join(folder.path, 'a', 'b'))).sort(), [
      'keyring.json',
      'keyring.json.previous',
    ])
  })

  test('is refused when others may open it, through a link, or when it is no file', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(file, mode)
      await fails(createLocalKeyService({ file }), 'unsafe_file')
    }
    await chmod(file, 0o600)
    await symlink(file, join(folder.path, 'link.json'))
    await fails(createLocalKeyService({ file: join(folder.path, 'link.json') }), 'unsafe_file')
    await fails(createLocalKeyService({ file: folder.path }), 'unsafe_file')
    if (process.getuid?.() === 0) {
      await chown(file, 12_345, 12_345)
      await fails(createLocalKeyService({ file }), 'unsafe_file')
    }
  })

  test('is refused and left alone when any byte of it changed', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    await service.ensure({ purpose: 'recordings', tenantId: newTenantId() })
    const whole = await readFile(file)
    for (let at = 0; at < whole.length; at++) {
      const altered = Buffer.from(whole)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      // White space between values is all that may differ.
      if (altered.toString().replace(/\s/g, '') === whole.toString().replace(/\s/g, '')) continue
      await writeFile(file, altered)
      await fails(createLocalKeyService({ file }), 'damaged')
      await fails(service.ensure(identity), 'damaged')
      assert.deepEqual(await readFile(file), altered)
      if (at % 7 !== 0) at += 5
    }
    for (const text of ['', '{}', '[]', whole.subarray(0, -20), `${whole}x`]) {
      await writeFile(file, text)
      await fails(createLocalKeyService({ file }), 'damaged')
    }
  })

  test('is never made anew where it was once, or where it must exist', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    await fails(createLocalKeyService({ file, ifMissing: 'refuse' }), 'unavailable')
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    const wrap = await service.key(identity).wrap(randomBytes(32), aad)
    await rename(file, `${file}.lost`)
    await fails(createLocalKeyService({ file }), 'damaged')
    await fails(service.ensure({ purpose: 'recordings', tenantId: newTenantId() }), 'unavailable')
    await service.key(identity).unwrap(wrap, aad)
  })

  test('the one before is kept and opens', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    const before = await readFile(file)
    await service.rotate(identity)
    await service.rotate(identity)
    assert.notDeepEqual(await readFile(`${file}.previous`), before)
    await service.rotate(identity)
    const previous = await createLocalKeyService({ file: `${file}.previous` })
    const wrap = await service.key(identity).wrap(randomBytes(32), aad)
    await fails(previous.key(identity).unwrap(wrap, aad), 'unknown_key')
    const older = await previous.key(identity).wrap(randomBytes(32), aad)
    await service.key(identity).unwrap(older, aad)
  })

  test('key material is in no error and no printed service', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const material = Buffer.alloc(32, 0x5a)
    const service = await createLocalKeyService({ file, random: length => Buffer.alloc(length, 0x5a) })
    await service.ensure(identity)
    const marks = [material.toString('hex'), material.toString('base64url'), material.toString('base64')]
    const text = await readFile(file, 'utf8')
    assert.ok(text.includes(material.toString('base64url')))
    await writeFile(file, text.slice(0, -30))
    const errors = await Promise.allSettled([createLocalKeyService({ file }), service.rotate(identity)])
    const printed = inspect([service, service.key(identity), errors], { depth: 20, showHidden: true })
    for (const mark of marks) assert.ok(!printed.includes(mark))
  })
})

describe('keyring with keys of every kind', () => {
  const names: AnyKeyName[] = [
    identity,
    { purpose: 'checkpoints' },
    { purpose: 'receipts' },
    { purpose: 'search', tenantId: newTenantId() },
  ]

  test('is refused when any byte changed, with a passphrase also when keys change places', async () => {
    await using folder = await temporaryFolder()
    for (const passphrase of [null, 'correct horse battery staple']) {
      const file = join(folder.path, `${passphrase === null ? 'open' : 'closed'}.json`)
      const service = await createLocalKeyService({ file, passphrase })
      for (const name of names) await service.ensure(name)
      const text = await readFile(file, 'utf8')
      const materials = [...text.matchAll(/"material": "([^"]+)"/g)].map(([, material = '']) => material)
      assert.equal(new Set(materials).size, names.length)
      const [first = '', second = ''] = materials
      for (const altered of [
        text.replace(first, second),
        text.replace(first, '?').replace(second, first).replace('?', second),
        text.replace('"checkpoints"', '"receiptz"'),
        text.replace('"checkpoints"', '"connectors"'),
        text.replace('/search"', '/recordings"'),
      ]) {
        assert.notEqual(altered, text)
        await writeFile(file, altered)
        await fails(service.rotate({ purpose: 'receipts' }), 'damaged')
        await fails(service.ensure({ purpose: 'recordings', tenantId: newTenantId() }), 'damaged')
        assert.equal(await readFile(file, 'utf8'), altered)
      }
    }
  })

  test('no key of it is printed, private ones included', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file, random: length => Buffer.alloc(length, 0x5a) })
    for (const name of names) await service.ensure(name)
    const signer = service.signer({ purpose: 'checkpoints' })
    const shown = [service, signer, await signer.sign(aad), await service.inspect()]
    const printed = inspect(shown, { depth: 20, showHidden: true })
    const material = Buffer.alloc(32, 0x5a)
    for (const mark of [material.toString('hex'), material.toString('base64url'), '5a 5a 5a']) {
      assert.ok(!printed.includes(mark))
    }
  })

  test('a keyring from before there were such keys opens, and stays as it was until one is made', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const content = {
      format: 'auricle-keyring',
      version: 1,
      protection: { kind: 'none' },
      keys: {
        identity: {
          primary: 1,
          versions: [
            {
              version: 1,
              createdAt: '2030-01-01T00:00:00.000Z',
              material: Buffer.alloc(32, 7).toString('base64url'),
            },
          ],
        },
      },
    }
    const integrity = createHmac('sha256', 'auricle-keyring checksum').update(JSON.stringify(content))
    const text = JSON.stringify({ ...content, integrity: integrity.digest('base64url') })
    await writeFile(file, text, { mode: 0o600 })
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    const wrap = await service.key(identity).wrap(randomBytes(32), aad)
    assert.equal(await readFile(file, 'utf8'), text)
    await service.ensure({ purpose: 'checkpoints' })
    const again = await createLocalKeyService({ file })
    await again.key(identity).unwrap(wrap, aad)
    await again.signer({ purpose: 'checkpoints' }).sign(aad)
  })

  test('an Ed25519 key is made from the material as the standard says', async () => {
    // The second vector of RFC 8032, section 7.1: secret key, public key, and the signature of one byte.
    const secret = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
    const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
    const signature =
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file, random: () => Buffer.from(secret, 'hex') })
    await service.ensure({ purpose: 'receipts' })
    const signer = service.signer({ purpose: 'receipts' })
    const { spki } = await signer.publicKey()
    assert.equal(Buffer.from(spki).subarray(-32).toString('hex'), publicKey)
    assert.equal(Buffer.from((await signer.sign(Uint8Array.of(0x72))).signature).toString('hex'), signature)
  })
})

describe('what is found of a keyring', () => {
  const states = async (service: KeyService) => (await service.inspect()).map(({ state }) => state)

  test('a file that others may open is bad, and the sentence says what mends it', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    assert.deepEqual(await states(service), ['ok', 'ok'])
    await service.ensure(identity)
    await chmod(file, 0o644)
    const [keyring] = await service.inspect()
    assert.equal(keyring?.state, 'bad')
    assert.match(keyring?.mend ?? '', /chmod 600/)
    await chmod(file, 0o600)
    assert.deepEqual(await states(service), ['ok', 'ok'])
  })

  test('a lost file is bad; a lost or open copy is worth a look', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    await service.ensure(identity)
    await chmod(`${file}.previous`, 0o640)
    assert.deepEqual(await states(service), ['ok', 'warn'])
    await rename(`${file}.previous`, `${file}.elsewhere`)
    assert.deepEqual(await states(service), ['ok', 'warn'])
    await rename(file, `${file}.gone`)
    assert.deepEqual((await service.inspect())[0]?.state, 'bad')
  })
})

describe('keyring with a passphrase', () => {
  const passphrase = 'correct horse battery staple'

  test('opens with it alone, and shows no key without it', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const material = createHash('sha256').update('material').digest()
    const random = (length: number) => Buffer.concat([material, material]).subarray(0, length)
    const service = await createLocalKeyService({
      file,
      passphrase,
      random: length => Buffer.from(random(length)),
    })
    await service.ensure(identity)
    const dataKey = randomBytes(32)
    const wrap = await service.key(identity).wrap(dataKey, aad)
    const text = await readFile(file, 'utf8')
    assert.ok(!text.includes(material.toString('base64url')))
    const again = await createLocalKeyService({ file, passphrase })
    assert.deepEqual(Buffer.from(await again.key(identity).unwrap(wrap, aad)), dataKey)
    await fails(createLocalKeyService({ file, passphrase: 'wrong' }), 'bad_passphrase')
    await fails(createLocalKeyService({ file }), 'bad_passphrase')
  })

  test('nobody can change it without the passphrase', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file, passphrase })
    await service.ensure(identity)
    await service.rotate(identity)
    const text = await readFile(file, 'utf8')
    for (const altered of [
      text.replace('"primary": 2', '"primary": 1'),
      text.replace('"identity"', `"tenants/${newTenantId()}/recordings"`),
      text.replace(/"material": "(.)/, (_, first) => `"material": "${first === 'A' ? 'B' : 'A'}`),
    ]) {
      assert.notEqual(altered, text)
      await writeFile(file, altered)
      // The service has the key of the passphrase already, so this is quick.
      await fails(service.rotate(identity), 'damaged')
    }
  })

  test('is not taken for a keyring that has none', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    await createLocalKeyService({ file })
    await fails(createLocalKeyService({ file, passphrase }), 'bad_passphrase')
  })
})

describe('keyring among processes', () => {
  test('eight processes that make and rotate keys lose nothing, though some are killed', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file })
    const tenantId = newTenantId()
    const shared: KeyName = { purpose: 'recordings', tenantId }
    const made: KeyName[] = []
    const ends = Array.from({ length: 8 }, async (_, index) => {
      const child = fork(new URL('./testdata/keep-making-keys.ts', import.meta.url), [file, tenantId])
      const ended = once(child, 'exit')
      let count = 0
      child.on('message', message => {
        made.push({ purpose: 'recordings', tenantId: TenantId.parse(message) })
        count++
        // Half of them die at a random moment, maybe with the lock in hand.
        if (count === 2 && index % 2 === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * 30)
        if (count === 6) child.kill('SIGKILL')
      })
      await ended
    })
    await Promise.all(ends)
    assert.ok(made.length >= 8)
    for (const name of [...made, shared]) {
      const wrap = await service.key(name).wrap(randomBytes(32), aad)
      await service.key(name).unwrap(wrap, aad)
    }
    await service.ensure(identity)
    await createLocalKeyService({ file, ifMissing: 'refuse' })
  })

  test('waits for a living holder of the lock and says who it is', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'keyring.json')
    const service = await createLocalKeyService({ file, lockTimeoutMs: 50 })
    const holder = {
      token: crypto.randomUUID(),
      pid: 1,
      place: `${hostname()} in another container`,
      startedAt: '1',
    }
    await writeFile(`${file}.lock`, JSON.stringify(holder))
    await assert.rejects(service.ensure(identity), /locked by process 1/)
    await writeFile(`${file}.lock`, 'something else')
    await fails(service.ensure(identity), 'unavailable')
    assert.equal(await readFile(`${file}.lock`, 'utf8'), 'something else')
  })
})
