// Every command of `auricle`, by the operator and by persons, aimed at recordings that are kept. A command that is new has to
// be placed here.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createProgram } from '@auricle/cli-service'
import type { World } from '../matrix/world.ts'
import { shortWav } from '../vault.ts'
import type { Attempt } from './attempt.ts'
import type { Guard, GuardedRecording } from './guarded.ts'

interface Aim {
  readonly guard: Guard
  readonly one: GuardedRecording
  readonly folder: string
  readonly tenant: string
  /** A connector of the tenant, which delivered what is kept. */
  readonly connector: string
  readonly intake: string
}

/** Null: it serves, or speaks to no vault. Else what it is called with beside its name. */
type Placed = null | ((aim: Aim) => readonly string[])

const none: Placed = () => []
const ofTenant: Placed = ({ tenant }) => ['--tenant', tenant]
const ofLogin =
  (...before: readonly string[]): Placed =>
  ({ tenant }) => [...before, '--tenant', tenant]
const recording: Placed = ({ one }) => [one.id]
const hold: Placed = ({ guard }) => [guard.hold]
const disposition: Placed = ({ guard }) => [guard.disposition]
const rule: Placed = ({ one }) => [one.rule]
const fileOf = ({ folder }: Aim, name: string) => join(folder, name)

const placed: Readonly<Record<string, Placed>> = {
  start: null,
  witness: null,
  monitor: null,
  code: null,
  login: null,
  logout: null,
  doctor: none,
  verify: ({ tenant }) => ['--tenant', tenant, '--recovery'],
  'tenant create': ({ guard }) => [`t${guard.now().getTime()}`, '--name', 'Another', '--keep-days', '1'],
  'tenant list': none,
  'tenant limits': ofTenant,
  'mailbox create': ({ guard, tenant }) => [
    String(guard.now().getTime()),
    '--name',
    'Another',
    '--tenant',
    tenant,
  ],
  'mailbox assign': ofLogin('3000', 'colleague'),
  'mailbox list': ofTenant,
  'connector create': ({ guard, tenant }) => [
    'upload',
    '--name',
    `c${guard.now().getTime()}`,
    '--tenant',
    tenant,
  ],
  'connector rotate': ({ connector, tenant }) => [connector, '--tenant', tenant],
  'connector disable': ofLogin('con_00000000000000000000000000'),
  'connector list': ofTenant,
  'token create': ofLogin('colleague', '--scope', 'recordings.read'),
  'token list': ofTenant,
  'token revoke': ofLogin('tok_00000000000000000000000000'),
  'intake list': ofTenant,
  'intake retry': ({ intake, tenant }) => [intake, '--tenant', tenant],
  'user create': ({ guard, tenant }) => [
    `u${guard.now().getTime()}`,
    '--name',
    'Another',
    '--role',
    'clinician',
    '--tenant',
    tenant,
  ],
  'user invite': ({ guard, tenant }) => [
    `i${guard.now().getTime()}`,
    '--name',
    'Another',
    '--tenant',
    tenant,
  ],
  'user disable': ofLogin('recovery'),
  'user enable': ofLogin('recovery'),
  'user roles': ofLogin('officer'),
  'user list': ofTenant,
  'role grant': ofLogin('recovery', 'auditor'),
  'role revoke': ofLogin('recovery', 'auditor'),
  'role list': ofTenant,
  recertify: ofTenant,
  'team create': ({ guard, tenant }) => [`t${guard.now().getTime()}`, '--tenant', tenant],
  'team add': ofLogin('A team', 'colleague'),
  'team remove': ofLogin('A team', 'colleague'),
  'team share': ofLogin('A team', '3000'),
  'team unshare': ofLogin('A team', '3000'),
  'team list': ofTenant,
  'provider add': ofLogin('A provider', '--issuer', 'http://127.0.0.1:9', '--client-id', 'x'),
  'provider list': ofTenant,
  'provider check': ofLogin('idp_00000000000000000000000000'),
  'provider disable': ofLogin('idp_00000000000000000000000000'),
  'audit export': aim => [
    '--out',
    fileOf(aim, `${aim.one.id}.zip`),
    '--recording',
    aim.one.id,
    '--tenant',
    aim.tenant,
  ],
  'audit policy': none,
  'audit verify': ofTenant,
  'audit search': ({ one }) => ['--recording', one.id],
  'audit show': () => ['evt_00000000000000000000000000'],
  'audit receipt': () => ['x'],
  'audit status': none,
  'certificate list': none,
  'certificate show': recording,
  'certificate export': aim => [aim.one.id, '--out', fileOf(aim, `${aim.one.id}.jws`)],
  'certificate keys': none,
  'certificate verify': aim => [fileOf(aim, 'x'), '--jwks', fileOf(aim, 'x'), '--policy', fileOf(aim, 'x')],
  'break-glass start': () => ['--reason', 'somebody is on the floor and nobody knows why'],
  'break-glass end': none,
  'break-glass list': none,
  'break-glass show': () => ['bgl_00000000000000000000000000'],
  'break-glass review': () => [
    'bgl_00000000000000000000000000',
    '--verdict',
    'justified',
    '--note',
    'of a test',
  ],
  'report access': ({ one }) => ['--recording', one.id],
  'report disclosures': () => ['--patient', 'nobody'],
  'report retention': none,
  'report schedule add': ({ guard }) => [
    '--name',
    `s${guard.now().getTime()}`,
    '--every',
    'month',
    '--store',
  ],
  'report schedule list': none,
  'report schedule end': () => ['sch_00000000000000000000000000'],
  'report schedule runs': none,
  'hold place': ({ one }) => ['--matter', 'of a test', '--recording', one.id],
  'hold preview': ({ one }) => ['--recording', one.id],
  'hold extend': ({ guard, one }) => [guard.hold, '--recording', one.id],
  'hold list': none,
  'hold show': hold,
  'hold recordings': hold,
  'hold release': ({ guard, one }) => [guard.hold, '--reason', 'of a test', '--recording', one.id],
  'hold notices': none,
  'hold acknowledge': hold,
  'retention rules list': none,
  'retention rules show': rule,
  'retention rules propose': aim => [`r${aim.guard.now().getTime()}`, '--file', fileOf(aim, 'shortest.json')],
  'retention rules change': aim => [aim.one.rule, '--file', fileOf(aim, 'shortest.json')],
  'retention rules end': rule,
  'retention rules approve': ({ one }) => [one.rule, '--version-number', '2'],
  'retention rules withdraw': ({ one }) => [one.rule, '--version-number', '1'],
  'retention explain': recording,
  'retention preview': aim => [fileOf(aim, 'shortest.json'), '--rule', aim.one.rule],
  'retention presets': none,
  'retention settings show': none,
  'retention settings set': () => ['--waiting-days', '1', '--stages', '1', '--shortening-days', '30'],
  'retention event record': ({ one }) => [
    'discharged',
    '--recording',
    one.id,
    '--at',
    '2020-01-03T00:00:00Z',
  ],
  'retention event list': ({ one }) => ['--recording', one.id],
  'retention event withdraw': () => ['rev_00000000000000000000000000'],
  'retention birth-date': () => ['--patient', 'nobody', '--forget'],
  'retention record-set list': none,
  'retention record-set decide': ({ one }) => ['out', '--recording', one.id, '--rationale', 'of a test'],
  'retention drift': ofTenant,
  'retention shorten': ofTenant,
  'dispose list': none,
  'dispose show': disposition,
  'dispose propose': ({ one }) => ['--recording', one.id],
  'dispose review': ({ guard }) => [guard.disposition, '--verdict', 'approve'],
  'dispose cancel': disposition,
  'dispose run': none,
  ls: none,
  play: aim => [aim.one.id, '--output', fileOf(aim, `${aim.one.id}.wav`)],
  export: aim => [aim.one.id, '--output', fileOf(aim, 'exported')],
  ingest: aim => [fileOf(aim, 'other.wav'), '--connector', aim.connector, '--source-id', aim.one.sourceId],
}

/** Throws, with a sentence for each, where a command is not placed, or no command any more. */
export function checkPlaces(): number {
  const known = commandNames()
  const wrong = [
    ...known
      .filter(name => !Object.hasOwn(placed, name))
      .map(name => `auricle ${name} is not placed among the attempts`),
    ...Object.keys(placed)
      .filter(name => !known.includes(name))
      .map(name => `auricle ${name} is no command`),
  ]
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return known.length
}

interface Named {
  name(): string
  readonly commands: readonly Named[]
}

function commandNames(): readonly string[] {
  const leaves = (command: Named, before: readonly string[]): readonly string[] => {
    if (command.commands.length === 0) return [before.join(' ')]
    return command.commands.flatMap(child => leaves(child, [...before, child.name()]))
  }
  return leaves(createProgram({ env: {}, process, signal: new AbortController().signal }), [])
}

/** What takes protection away for whoever may. */
const releases: ReadonlySet<string> = new Set(['hold release'])

export async function tryCommands(guard: Guard, world: World): Promise<readonly Attempt[]> {
  checkPlaces()
  const { vault, clinic, tenantId } = guard
  const { folder } = vault
  await writeFile(join(folder, 'shortest.json'), JSON.stringify({ keep: { days: 1 }, dispose: 'automatic' }))
  await writeFile(join(folder, 'other.wav'), shortWav(2))
  const tokenOf = async (role: 'compliance_officer' | 'administrator' | 'clinician') =>
    world.bearer(await world.member([role]), 'fresh')
  const people: Readonly<Record<string, string | null>> = {
    'the operator': null,
    'a clinician': await tokenOf('clinician'),
    'an administrator': await tokenOf('administrator'),
    'a compliance officer': await tokenOf('compliance_officer'),
  }
  const intakes = await vault.database.superuserPool.query<{ id: string; intake: string }>(
    'select id, intake_id as intake from auricle.recording where tenant_id = $1',
    [tenantId],
  )
  await using auricle = startChild(guard)
  const attempts: Attempt[] = []
  for (const [name, args] of Object.entries(placed)) {
    if (args === null) continue
    for (const [by, token] of Object.entries(people)) {
      const before = await guard.look()
      const answers: string[] = []
      for (const one of guard.recordings) {
        const intake = intakes.rows.find(({ id }) => id === one.id)?.intake ?? ''
        const aim = {
          guard,
          one,
          folder,
          tenant: clinic.tenant.slug,
          connector: clinic.connectorRow.id,
          intake,
        }
        const { exitCode, message } = await auricle.run([...name.split(' '), ...args(aim)], token)
        answers.push(exitCode === 0 ? 'allowed' : message || `exit code ${exitCode}`)
        if (isTheSame(args, aim, guard)) break
      }
      const isOfficer = by === 'a compliance officer'
      const harm = await guard.harm(before, { holdsStay: !(isOfficer && releases.has(name)) })
      attempts.push({
        ...{ wall: 'command', what: `auricle ${name}`, by, harm },
        refused: [...new Set(answers.map(answer => withoutNames(answer, folder)))].sort().join(', '),
        logged: 'not looked at here',
      })
      const isOfPersons = answers.some(answer => answer.startsWith('Sign in first'))
      if (isOfficer || (by === 'the operator' && !isOfPersons)) await guard.restore()
      // Who has a token is the same operator to a command that asks for none.
      if (by === 'the operator' && !isOfPersons) break
    }
  }
  return attempts
}

/** What differs from run to run. */
const withoutNames = (text: string, folder: string) =>
  text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/"?[a-z]{3}_[0-9a-z]{26}"?/g, 'ID')
    .replaceAll(/clinic-\d+/g, 'TENANT')

/** Whether it is called alike for each recording. */
function isTheSame(args: Exclude<Placed, null>, aim: Aim, { recordings }: Guard): boolean {
  const called = recordings.map(one => String(args({ ...aim, one, intake: one.id })))
  return new Set(called).size === 1
}

interface Answer {
  readonly exitCode: number
  readonly message: string
}

function startChild({ vault: { database, folder } }: Guard) {
  const main = fileURLToPath(new URL('command-child.ts', import.meta.url))
  const child: ChildProcess = fork(main, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], cwd: folder })
  const part = encodeURIComponent
  const { user, password, host, port, database: name } = database.app
  const env = {
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    AURICLE_DATA: folder,
    AURICLE_RECOVERY: join(folder, 'recovery'),
    DATABASE_URL: `postgres://${part(user)}:${part(password)}@localhost:${port}/${part(name)}?host=${part(host)}`,
  }
  return {
    async run(args: readonly string[], token: string | null): Promise<Answer> {
      const ended = once(child, 'message')
      child.send({ args, env: { ...env, ...(token === null ? {} : { AURICLE_TOKEN: token }) } })
      const [answer] = await ended
      return answer as Answer
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
