// The command as a person meets it: a real process, a data folder of its own, what it says and how it ends.
import assert from 'node:assert/strict'
import { chmod, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type CommandFolder, openCommandFolder, type Ran, type Running } from '../../../test/command.ts'

const samples = fileURLToPath(new URL('../../../test/samples/', import.meta.url))
const ogg = join(samples, 'voicemail.ogg')

let place: CommandFolder
let service: Running
/** Of the clinician, for `ls` and `play`. */
let token = ''
let connector = ''
let recording = ''

before(async () => {
  place = await openCommandFolder()
})
after(() => place[Symbol.asyncDispose]())

const textOf = ({ stdout }: Ran) => stdout.toString()
const stackLine = /^ {4}at |node:internal|\.ts:\d+/m

/** Runs a command that must succeed, and gives what it printed. */
async function good(...args: readonly string[]): Promise<string> {
  const ran = await place.run(args, { env: { AURICLE_TOKEN: token } })
  assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.stderr}`)
  assert.equal(ran.stderr, '', args.join(' '))
  return textOf(ran)
}

async function json<Schema extends z.ZodType>(schema: Schema, ...args: readonly string[]) {
  return schema.parse(JSON.parse(await good(...args, '--json')))
}

/** Runs a command that must fail, and gives its one sentence. */
async function bad(code: number, ...args: readonly string[]): Promise<string> {
  const ran = await place.run(args, { env: token === '' ? {} : { AURICLE_TOKEN: token } })
  assert.equal(ran.code, code, `${args.join(' ')}: ${textOf(ran)}${ran.stderr}`)
  assert.doesNotMatch(ran.stderr, stackLine)
  assert.match(ran.stderr, /^auricle: /, args.join(' '))
  return ran.stderr
}

const lines = (text: string) => text.trimEnd().split('\n')

test('help, the version, and what it does not understand', async () => {
  const [help, missing, setting] = await Promise.all([
    place.run(['--help']),
    place.run(['tenant', 'create', 'clinic']),
    place.run(['nonsense'], { env: { AURICLE_API_PROT: '1' } }),
  ])
  assert.equal(help.code, 0)
  assert.match(textOf(help), /Usage: auricle/)
  for (const group of ['tenant', 'user', 'role', 'team', 'mailbox', 'connector', 'token', 'intake']) {
    assert.match(textOf(help), new RegExp(`^ {2}${group} {2,}\\S`, 'm'))
  }
  for (const ran of [missing, setting]) {
    assert.equal(ran.code, 2)
    assert.match(ran.stderr, /^auricle: .*\n\(add --help for more\)\n$/)
  }
  assert.match(setting.stderr, /unknown command 'nonsense'/)
  const misspelt = await place.run(['ls'], { env: { AURICLE_API_PROT: '1' } })
  assert.equal(misspelt.code, 1)
  assert.match(misspelt.stderr, /AURICLE_API_PROT is not a setting/)
})

test('a check of a machine where nothing is yet makes nothing', async () => {
  const ran = await place.run(['doctor'])
  assert.equal(ran.code, 0)
  assert.match(textOf(ran), /^database +warn +not there yet/m)
  await assert.rejects(stat(place.dataFolder), { code: 'ENOENT' })
})

test('start says where it runs; a second on the same folder is told so in a sentence', async () => {
  service = place.start(['start'])
  const text = await service.said('Ctrl-C stops it')
  assert.match(text, /^ {2}API +http:\/\/127\.0\.0\.1:\d+/m)
  const second = await place.run(['start'])
  assert.equal(second.code, 1)
  assert.equal(lines(second.stderr).length, 1)
  assert.match(second.stderr, new RegExp(`^auricle: .* process ${service.child.pid}`))
})

test('setting up: empty lists say what comes next, secrets are shown once, names are not taken twice', async () => {
  assert.match(await good('tenant', 'list'), /make one with `auricle tenant create`/)
  assert.match(await good('tenant', 'create', 'clinic', '--name', 'A clinic'), /Made tenant clinic/)
  const [users, intakes] = await Promise.all(['user', 'intake'].map(noun => good(noun, 'list')))
  assert.match(users ?? '', /make one with `auricle user create`/)
  assert.equal(intakes, 'Nothing is in quarantine\n')

  const Made = z.object({ id: z.string(), password: z.string(), totpSecret: z.string() })
  const made = await json(Made, 'user', 'create', 'clinician', '--name', 'Clinician')
  await good('mailbox', 'create', '2001', '--name', 'Front desk', '--owner', 'clinician')
  const pbx = await json(
    z.object({ id: z.string(), secret: z.string() }),
    ...['connector', 'create', 'upload', '--name', 'PBX', '--mailbox', '2001'],
  )
  connector = pbx.id
  const scopes = ['read', 'play', 'export'].flatMap(scope => ['--scope', `recordings.${scope}`])
  ;({ token } = await json(z.object({ token: z.string() }), 'token', 'create', 'clinician', ...scopes))

  const shown = await Promise.all([
    ...['user', 'mailbox', 'connector', 'token'].map(noun => good(noun, 'list')),
    good('connector', 'list', '--json'),
  ])
  for (const text of shown) {
    for (const secret of [made.password, made.totpSecret, pbx.secret, token])
      assert.ok(!text.includes(secret))
  }
  assert.match(shown[0] ?? '', /^LOGIN +NAME +ROLES +MADE +STATE +ID\nclinician +Clinician +clinician/)
  assert.match(shown[1] ?? '', /^ADDRESS +NAME +HEARD BY +ID\n2001 +Front desk +clinician +mbx_/)
  assert.match(shown[2] ?? '', /^NAME +KIND +TAKES AT MOST +STATE +ID\nPBX +upload +4\.3 GB +active +con_/)
  assert.match(shown[3] ?? '', /^TOKEN +USER +FOR +MADE +UNTIL +STATE\ntok_\w+ +clinician +personal/)
  assert.equal(z.array(z.looseObject({ id: z.string() })).parse(JSON.parse(shown[4] ?? ''))[0]?.id, connector)

  const [tenant, kind] = await Promise.all([
    bad(2, 'tenant', 'create', 'clinic', '--name', 'Another'),
    bad(2, 'connector', 'create', 'fax', '--name', 'Fax'),
  ])
  assert.match(tenant ?? '', /There is a tenant "clinic" already/)
  assert.match(kind ?? '', /no connector kind "fax"; there are: standard, upload/)
})

test('a file is handed over, archived and listed', async () => {
  assert.match(await good('ls'), /^There are no recordings in your mailboxes yet\n$/)
  const Receipt = z.object({ recording: z.string(), duplicate: z.boolean() })
  const first = await json(Receipt, 'ingest', ogg, '--connector', connector, '--from', '+1 555 0100')
  assert.equal(first.duplicate, false)
  recording = first.recording
  const again = await good('ingest', ogg, '--connector', connector)
  assert.equal(again, `${ogg} was delivered before, as ${recording}\n`)

  const [absent, other] = await Promise.all([
    bad(2, 'ingest', '/nowhere/at-all.wav', '--connector', connector),
    bad(2, 'ingest', fileURLToPath(import.meta.url), '--connector', connector),
  ])
  assert.match(absent ?? '', /\/nowhere\/at-all\.wav is not there/)
  assert.match(other ?? '', /not audio/)

  for (let tries = 0; tries < 50 && !(await good('ls')).includes(recording); tries++) await delay(100)
  const [table, page, none, number, wrong] = await Promise.all([
    good('ls'),
    json(z.object({ recordings: z.array(z.looseObject({ id: z.string() })) }), 'ls'),
    good('ls', '--kind', 'recording'),
    good('ls', '--number', '1 (555) 0100', '--mailbox', '2001', '--heard', 'no'),
    bad(2, 'ls', '--after', 'yesterday', '--limit', 'many'),
  ])
  assert.match(
    table,
    /^RECORDING +STARTED +KIND +MAILBOX +FROM +LENGTH +HEARD\nrec_\w+ +20.* voicemail +2001 +\+1 555 0100 +0:30 +no\n$/,
  )
  assert.deepEqual(
    page.recordings.map(({ id }) => id),
    [recording],
  )
  assert.equal(none, 'No recordings match\n')
  assert.ok(number.includes(recording))
  assert.match(wrong, /--after is a time in UTC.*; --limit is a whole number from 1 to 200/)
})

test('a recording is played into a pipe, to a file, and exported with its facts', async () => {
  const file = join(place.folder, 'out.mp3')
  const folder = join(place.folder, 'export')
  const env = { AURICLE_TOKEN: token }
  const [piped, original, written, exported] = await Promise.all([
    place.run(['play', recording], { env }),
    place.run(['play', recording, '--original'], { env }),
    good('play', recording, '-o', file),
    good('export', recording, '-o', folder),
  ])
  assert.ok(piped.stdout.equals(await readFile(file)))
  assert.ok(original.stdout.equals(await readFile(ogg)))
  assert.match(written, /^Wrote .*out\.mp3, \d+ KB: clear audio, guard it\n$/)
  assert.match(exported, /^Exported 1 recording, 59 KB, to .*export: clear audio, guard it\n$/)
  assert.deepEqual((await readdir(folder)).sort(), [`${recording}.json`, `${recording}.ogg`])
  assert.ok((await readFile(join(folder, `${recording}.ogg`))).equals(await readFile(ogg)))
  const facts = z
    .looseObject({ from: z.string() })
    .parse(JSON.parse(await readFile(join(folder, `${recording}.json`), 'utf8')))
  assert.equal(facts.from, '+1 555 0100')
  for (const one of [file, join(folder, `${recording}.ogg`)])
    assert.equal((await stat(one)).mode & 0o777, 0o600)

  const [exists, nowhere, absent] = await Promise.all([
    bad(2, 'play', recording, '-o', file),
    bad(2, 'play', recording, '-o', join(place.folder, 'no', 'such', 'folder.mp3')),
    bad(2, 'play', `${recording.slice(0, -4)}0000`),
  ])
  assert.match(exists ?? '', /out\.mp3 exists already/)
  assert.match(nowhere ?? '', /the folder it is to be in is not/)
  assert.match(absent ?? '', /No such recording/)
})

test('who reads only the start of a pipe is not told off', async () => {
  const playing = place.start(['play', recording, '--original'], { env: { AURICLE_TOKEN: token } })
  playing.child.stdout?.once('data', () => playing.child.stdout?.destroy())
  const { code, stderr } = await playing.ended
  assert.deepEqual([code, stderr], [0, ''])
})

test('signing in needs a terminal; without a session and without a token there is nothing to hear', async () => {
  const [login, logout, wrong] = await Promise.all([
    place.run(['login', '--tenant', 'clinic', '--login', 'clinician']),
    place.run(['logout'], { env: { AURICLE_TOKEN: token } }),
    place.run(['ls'], { env: { AURICLE_TOKEN: `${token}x` } }),
  ])
  assert.equal(login.code, 2)
  assert.match(login.stderr, /^auricle: There is no terminal to ask for the password at/)
  assert.equal(logout.code, 2)
  assert.match(logout.stderr, /^auricle: Sign in first with `auricle login`, or set AURICLE_TOKEN\n$/)
  assert.match(wrong.stderr, /^auricle: The token is not valid here/)
  // Signing out ended no token of a program.
  assert.ok((await good('ls')).includes(recording))
})

test('the code of an authenticator app', async () => {
  assert.match(await good('code', 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'), /^\d{6}\n$/)
})

async function objectFile(role: string): Promise<string> {
  const root = join(place.dataFolder, 'objects')
  const files = await readdir(root, { recursive: true })
  const file = files.find(name => name.includes(recording) && name.includes(`/${role}=`))
  assert.ok(file !== undefined)
  return join(root, file)
}

test('verify names what is altered or gone, and playing it stops with a sentence', async () => {
  assert.match(await good('verify'), /^Verified 3 objects, [\d.]+ KB: all good\n$/)
  const file = await objectFile('original')
  const { mode } = await stat(file)
  const right = await readFile(file)
  const flipped = Buffer.from(right)
  const at = Math.floor(right.length / 2)
  flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at)
  await chmod(file, 0o600)
  await writeFile(file, flipped)
  const target = join(place.folder, 'damaged.ogg')
  const [ran, text] = await Promise.all([
    place.run(['verify']),
    bad(1, 'play', recording, '--original', '-o', target),
  ])
  assert.equal(ran.code, 1)
  assert.match(textOf(ran), new RegExp(`^BAD +${recording} +original +\\w+$`, 'm'))
  assert.match(textOf(ran), /^Verified 3 objects, [\d.]+ KB: 1 BAD$/m)
  assert.doesNotMatch(text, /failed \(/)
  await assert.rejects(stat(target), { code: 'ENOENT' })

  await rename(file, `${file}.away`)
  const missing = await place.run(['verify', '--json'])
  assert.equal(missing.code, 1)
  const report = z.object({ bad: z.array(z.object({ recording: z.string(), reason: z.string() })) })
  assert.deepEqual(
    report.parse(JSON.parse(textOf(missing))).bad.map(({ reason }) => reason),
    ['missing'],
  )

  await rm(`${file}.away`)
  await writeFile(file, right)
  await chmod(file, mode)
  assert.match(await good('verify', '--tenant', 'clinic'), /all good/)
})

test('a check of a machine that runs, and of a keyring that others may read', async () => {
  const keyring = join(place.dataFolder, 'keyring.json')
  assert.match(await good('doctor'), /^CHECK +STATE +FOUND +WHAT TO DO\nnode +ok/)
  await chmod(keyring, 0o644)
  const ran = await place.run(['doctor'])
  assert.equal(ran.code, 1)
  assert.match(textOf(ran), /^keyring +bad +.* is readable by others +chmod 600 /m)
  assert.doesNotMatch(ran.stderr, stackLine)
  await chmod(keyring, 0o600)
})

test('SIGINT ends start with 0, and without it a command finds everything again', async () => {
  service.child.kill('SIGINT')
  const { code, stdout, stderr } = await service.ended
  // It may have come by while others could read its keyring.
  const told = stderr.split('\n').filter(line => line !== '' && !/"code":"unsafe_file"/.test(line))
  assert.deepEqual([code, told], [0, []])
  assert.match(stdout.toString(), /Stopped\.\n$/)
  assert.ok((await good('ls')).includes(recording))
})

test('copies in a recovery store are counted, looked at when asked for, and named where they are not right', async () => {
  const without = await bad(2, 'verify', '--recovery')
  assert.match(without, /There is no recovery store to verify: AURICLE_RECOVERY names none/)
  assert.match(
    await good('doctor'),
    /^recovery copies +warn +none: every object exists once +set AURICLE_RECOVERY/m,
  )
  const link = join(place.folder, 'link')
  await symlink(join(place.dataFolder, 'objects'), link)
  const same = await place.run(['ls'], { env: { AURICLE_RECOVERY: link, AURICLE_TOKEN: token } })
  assert.equal(same.code, 1)
  assert.match(same.stderr, /^auricle: AURICLE_RECOVERY leads to the folder of the objects/)

  const folder = join(place.folder, 'recovery')
  const env = { AURICLE_RECOVERY: folder }
  const [counted, backlog] = [await place.run(['verify'], { env }), await place.run(['doctor'], { env })]
  assert.match(textOf(counted), /^In the recovery store 0 objects, 3 still to come$/m)
  assert.match(textOf(backlog), /^recovery copies +ok +3 objects still to be copied, the oldest for \d/m)

  const vault = place.start(['start'], { env })
  await vault.said('Ctrl-C stops it')
  await good('ingest', join(samples, 'voicemail.mp3'), '--connector', connector)
  const Report = z.object({
    recovery: z.object({ replicated: z.number(), owed: z.number(), checked: z.boolean() }),
  })
  const look = async () => {
    const ran = await place.run(['verify', '--recovery', '--json'], { env })
    assert.equal(ran.code, 0, ran.stderr)
    return Report.parse(JSON.parse(textOf(ran))).recovery
  }
  for (let tries = 0; tries < 50 && (await look()).replicated < 3; tries++) await delay(100)
  const { replicated, checked } = await look()
  assert.ok(replicated >= 3 && checked)
  vault.child.kill('SIGINT')
  assert.equal((await vault.ended).code, 0)

  const files = await readdir(folder, { recursive: true })
  const copy = join(folder, files.find(name => name.includes('/playback=')) ?? '')
  const bytes = await readFile(copy)
  await chmod(copy, 0o600)
  await writeFile(copy, bytes.subarray(0, bytes.length - 1))
  const damaged = await place.run(['verify', '--recovery'], { env })
  assert.equal(damaged.code, 1)
  assert.match(textOf(damaged), /^Verified 6 objects, .*: all good$/m)
  assert.match(textOf(damaged), /^BAD COPY +rec_\w+ +playback +other_size$/m)
  assert.match(textOf(damaged), /^In the recovery store \d objects?, .* still to come: 1 BAD$/m)
  await writeFile(copy, bytes)
  const mended = await place.run(['verify', '--recovery'], { env })
  assert.match(textOf(mended), /still to come: all good$/m)
})

test('a database without its keyring is never given a new one', async () => {
  const keyring = join(place.dataFolder, 'keyring.json')
  const kept = await readFile(keyring)
  await rm(keyring)
  await rm(`${keyring}.previous`, { force: true })
  const doctor = await place.run(['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(textOf(doctor), /^keyring +bad +/m)
  const start = await place.run(['start'])
  assert.equal(start.code, 1)
  assert.match(start.stderr, /^auricle: .*keyring/)
  assert.doesNotMatch(start.stderr, stackLine)
  await writeFile(keyring, kept, { mode: 0o600 })
  assert.ok((await good('ls')).includes(recording))
})
