// Mail to a real SMTP server: taken over TLS, or not sent at all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { startMailServer } from '../../../test/mail-server.ts'
import { MailError, type MailErrorCode } from './error.ts'
import { createMailer, type MailSettings } from './mailer.ts'

const settings: MailSettings = {
  ...{ host: '127.0.0.1', port: 0, tls: 'starttls', ca: null, username: null, password: null },
  from: 'auricle@vault.example',
}
const message = {
  to: ['officer@clinic.example', 'other@clinic.example'],
  subject: 'A report is ready',
  text: 'Größe, año, źródło\n.\nFetch it.\n',
  id: 'run_01',
}

const fails = (code: MailErrorCode) => (error: unknown) => {
  assert.ok(error instanceof MailError)
  assert.equal(error.code, code)
  return true
}

test('a message is taken over TLS for everybody, with an id that is the same for the same message', async () => {
  await using server = await startMailServer()
  const mailer = createMailer({ ...settings, port: server.port, ca: server.ca })
  await mailer.send(message)
  await mailer.send(message)
  const [first, second] = server.mails
  assert.ok(first !== undefined && second !== undefined && server.mails.length === 2)
  assert.ok(first.isEncrypted)
  assert.deepEqual([first.from, first.to], ['auricle@vault.example', message.to])
  assert.match(first.text, /^Subject: A report is ready\r$/m)
  assert.match(first.text, /^Auto-Submitted: auto-generated\r$/m)
  const idOf = (text: string) => /^Message-ID: (.*)\r$/m.exec(text)?.[1]
  assert.equal(idOf(first.text), '<run_01@vault.example>')
  assert.equal(idOf(second.text), idOf(first.text))
})

test('implicit TLS, and a name with a password', async () => {
  await using server = await startMailServer({
    ...{ secure: true, authOptional: false },
    onAuth({ username, password }, _session, callback) {
      if (username === 'vault' && password === 'swordfish') callback(null, { user: username })
      else callback(new Error('no'))
    },
  })
  const own = { ...settings, port: server.port, ca: server.ca, tls: 'implicit', username: 'vault' } as const
  await createMailer({ ...own, password: 'swordfish' }).send(message)
  assert.equal(server.mails.length, 1)
  await assert.rejects(createMailer({ ...own, password: 'wrong' }).send(message), fails('unauthenticated'))
  assert.equal(server.mails.length, 1)
})

test('a server that offers no TLS, or whose certificate nobody vouches for, gets nothing', async () => {
  await using plain = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
  await assert.rejects(
    createMailer({ ...settings, port: plain.port, ca: plain.ca }).send(message),
    fails('insecure'),
  )
  await using strange = await startMailServer()
  await assert.rejects(createMailer({ ...settings, port: strange.port }).send(message), fails('insecure'))
  assert.deepEqual([...plain.mails, ...strange.mails], [])
})

test('what a server refuses is refused, also where it is one of several', async () => {
  await using server = await startMailServer({
    onRcptTo({ address }, _session, callback) {
      if (address === 'other@clinic.example') callback(new Error('no such user'))
      else callback()
    },
  })
  const mailer = createMailer({ ...settings, port: server.port, ca: server.ca })
  await assert.rejects(mailer.send(message), fails('refused'))
  await assert.rejects(mailer.send({ ...message, to: ['other@clinic.example'] }), fails('refused'))
})

test('a server that is not there cannot be reached', async () => {
  await assert.rejects(createMailer({ ...settings, port: 1 }).send(message), fails('unreachable'))
})

test('an abort ends it with its reason', async () => {
  // Takes connections and says nothing.
  const silent = createServer(() => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const stop = new AbortController()
  const sending = createMailer({ ...settings, port }).send(message, { signal: stop.signal })
  await once(silent, 'connection')
  stop.abort(new Error('enough'))
  await assert.rejects(sending, /enough/)
  await assert.rejects(createMailer({ ...settings, port }).send(message, { signal: stop.signal }), /enough/)
  silent.close()
})

test('no address or subject can add a header or another recipient', async () => {
  await using server = await startMailServer()
  const mailer = createMailer({ ...settings, port: server.port, ca: server.ca })
  await mailer.send({
    ...message,
    to: ['officer@clinic.example'],
    subject: 'ready\r\nBcc: thief@elsewhere.example\r\n\r\nhello',
  })
  const [mail] = server.mails
  assert.deepEqual(mail?.to, ['officer@clinic.example'])
  assert.doesNotMatch(mail.text, /^Bcc:/m)
})
