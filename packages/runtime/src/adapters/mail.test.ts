import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RuntimeError } from '../error.ts'
import { openMailer, smtpSettings } from './mail.ts'

test('a URL says host, port, name, password and how TLS begins', async () => {
  assert.deepEqual(await smtpSettings('smtp://vault%40clinic:sword%2Ffish@mail.example.org'), {
    ...{ host: 'mail.example.org', port: 587, tls: 'starttls', ca: null },
    ...{ username: 'vault@clinic', password: 'sword/fish' },
  })
  const plain = { ca: null, username: null, password: null }
  assert.deepEqual(await smtpSettings('smtps://mail.example.org/'), {
    ...plain,
    ...{ host: 'mail.example.org', port: 465, tls: 'implicit' },
  })
  assert.deepEqual(await smtpSettings('smtp://[::1]:2525'), {
    ...plain,
    ...{ host: '::1', port: 2525, tls: 'starttls' },
  })
})

test('a CA of its own is read from its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'auricle-mail-ca-'))
  try {
    const file = join(folder, 'ca.pem')
    await writeFile(file, 'a certificate')
    assert.equal((await smtpSettings(`smtp://host?ca=${file}`)).ca, 'a certificate')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('what is no address of a mail server is refused without being repeated', async () => {
  for (const url of [
    'smtp://host/swordfish',
    'smtp://host?swordfish=1',
    'smtp://swordfish@host',
    'smtp:///swordfish',
    'smtp://host?ca=/swordfish/ca.pem',
  ])
    await assert.rejects(smtpSettings(url), (error: unknown) => {
      assert.ok(error instanceof RuntimeError && error.code === 'bad_config')
      assert.doesNotMatch(error.message, /swordfish/)
      return true
    })
})

test('where none is configured there is none', async () => {
  assert.equal(await openMailer({ mail: null }, { smtpUrl: null }), null)
})
