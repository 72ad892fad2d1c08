// The `auricle` command: what it is called with, and which function that is.
import { type Authority, openAuthority } from '@auricle/api-service'
import { BreakGlassState, Scope } from '@auricle/contract'
import {
  type Config,
  createLogger,
  describeError,
  type Logger,
  openAdapters,
  type ProcessHandle,
  readConfig,
  runService,
  type Secrets,
} from '@auricle/runtime'
import { createEventLog, createEventWriter } from '@auricle/vault'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  breakGlassLine,
  endAccess,
  listAccess,
  reviewAccess,
  showAccess,
  startAccess,
} from './commands/break-glass.ts'
import { showCode } from './commands/code.ts'
import {
  addConnector,
  changeSecret,
  endConnector,
  idleTimeoutMsDefault,
  listConnectors,
  maxBytesDefault,
  overlapMsDefault,
  parseAllowedHost,
} from './commands/connector.ts'
import { doctor } from './commands/doctor.ts'
import { ingestFile } from './commands/ingest.ts'
import { listIntakes, retryIntake } from './commands/intake.ts'
import { login, logout } from './commands/login.ts'
import { addMailbox, addOwner, listMailboxes } from './commands/mailbox.ts'
import { exportRecordings, list, play } from './commands/recordings.ts'
import { start } from './commands/start.ts'
import { addTenant, changeLimits, keepDaysDefault, listTenants } from './commands/tenant.ts'
import { addToken, endToken, listTokens } from './commands/token.ts'
import { verify } from './commands/verify.ts'
import { createOperator, type Operator } from './operator.ts'
import { createOutput, type Output } from './output.ts'
import { type CommandPerson, findPerson, sessionFile } from './person.ts'
import { addCertificateCommands } from './program-certificate.ts'
import { addDispositionCommands } from './program-dispositions.ts'
import { addEvidenceCommands } from './program-evidence.ts'
import { addHoldCommands } from './program-holds.ts'
import { addLogCommands, addReportCommands } from './program-log.ts'
import { addPeople } from './program-people.ts'
import { addProviderCommands } from './program-providers.ts'
import { addRetentionCommands } from './program-retention.ts'
import { addStoreCommands } from './program-stores.ts'
import { addWatching } from './program-watching.ts'

export interface ProgramParts {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly process: ProcessHandle
  readonly signal: AbortSignal
}

/** Variables of the command itself, which the configuration does not know. */
const ownVariables = ['AURICLE_TOKEN']

interface Context {
  readonly config: Config
  readonly secrets: Secrets
  readonly logger: Logger
}

export function createProgram({ env, process: host, signal }: ProgramParts): Command {
  const program = new Command('auricle')
    .description('An encrypted voicemail and call-recording vault for healthcare')
    .option('--json', 'print JSON for programs')
    .version('0.1.0')
    .showHelpAfterError('(add --help for more)')
    .configureHelp({ sortSubcommands: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'auricle: ')) })
    .exitOverride()

  const output = (): Output => createOutput(program.opts()['json'] === true)
  const context = (quiet = true): Context => {
    const known = Object.fromEntries(Object.entries(env).filter(([name]) => !ownVariables.includes(name)))
    const { config, secrets } = readConfig(known)
    const level = quiet && known['AURICLE_LOG_LEVEL'] === undefined ? 'warn' : config.log.level
    return { config, secrets, logger: createLogger({ level, format: config.log.format }) }
  }
  const withOperator = async <Result>(
    work: (operator: Operator, output: Output) => Promise<Result>,
  ): Promise<Result> => {
    const parts = context()
    const writer = createEventWriter({ name: 'command' })
    await using adapters = await openAdapters({ ...parts, stamper: writer, database: 'join', signal })
    await using log = createEventLog({ ...adapters, writer, store: adapters.logStore })
    return await work(createOperator({ ...adapters, log, config: parts.config, signal }), output())
  }
  const withAuthority = (work: (operator: Operator, output: Output, authority: Authority) => Promise<void>) =>
    withOperator(async (operator, out) => work(operator, out, await openAuthority(operator, operator)))
  const withPersonOf =
    (variables: ProgramParts['env']): Runners['withPerson'] =>
    work =>
      withAuthority(async (operator, out, authority) =>
        work(operator, out, announce(await findPerson(operator, authority, variables))),
      )

  /** Said of every command of a person while their emergency access is open. */
  const announce = (person: CommandPerson): CommandPerson => {
    const line = breakGlassLine(person.actor)
    if (line !== null) globalThis.process.stderr.write(`auricle: ${line}\n`)
    return person
  }

  program
    .command('start')
    .description('run ingest, api and worker in this process')
    .option('--demo', 'on the first run, make a demo clinic and deliver sample recordings')
    .action(async ({ demo = false }) => {
      const parts = context(false)
      const print = (text: string) => globalThis.process.stdout.write(`${text}\n`)
      // The lifecycle of a person's terminal: what happens to deliveries is in the log only where it is asked for.
      const level = env['AURICLE_LOG_LEVEL'] === undefined ? 'warn' : parts.config.log.level
      const logger = createLogger({ level, format: parts.config.log.format })
      await runService({
        start: options => start({ ...parts, ...options, logger, demo, print }),
        process: host,
        logger,
        shutdownGraceMs: parts.config.shutdownGraceMs,
        report: (message, error) => {
          const { message: sentence } = describeError(error)
          if (sentence === null) logger.error(message, { error })
          else globalThis.process.stderr.write(`auricle: ${sentence}\n`)
        },
      })
      if (host.exitCode === undefined || host.exitCode === 0) print('Stopped.')
    })
  program
    .command('doctor')
    .description('check this machine and its data, and say what mends what is wrong')
    .action(async () => {
      if (!(await doctor({ ...context(), signal }, output()))) host.exitCode = 1
    })
  program
    .command('verify')
    .description('open every stored object and check it byte for byte')
    .option('--tenant <name>', 'only this tenant')
    .option('--recovery', 'also look at every copy in the recovery store')
    .action(async options => {
      if (!(await withOperator((operator, out) => verify(operator, out, options)))) host.exitCode = 1
    })
  addSetUp(program, { withOperator })
  addPeople(program, withOperator)
  const fail = () => {
    host.exitCode = 1
  }
  addProviderCommands(program, { withOperator, fail })
  addWatching(program, { context: () => context(false), output, process: host, signal })
  const audit = program.command('audit').description('the log: what it says, and whether it holds')
  const exit = (code: number) => {
    if (code !== 0) host.exitCode = code
  }
  addEvidenceCommands(audit, { withOperator, output, exit })
  addCertificateCommands(program, { withPerson: withPersonOf(env), output, exit })
  addBreakGlass(program, { withPerson: withPersonOf(env) })
  addLogCommands(audit, { withPerson: withPersonOf(env), fail })
  addReportCommands(program, { withPerson: withPersonOf(env) })
  addHoldCommands(program, { withPerson: withPersonOf(env) })
  const retention = addRetentionCommands(program, { withPerson: withPersonOf(env) })
  addStoreCommands(retention, { withOperator, fail })
  addDispositionCommands(program, { withPerson: withPersonOf(env), withOperator })
  addListening(program, {
    withAuthority,
    withPerson: withPersonOf(env),
    withSession: withPersonOf({ ...env, AURICLE_TOKEN: undefined }),
    session: sessionFile(env),
  })
  program
    .command('ingest')
    .description('hand a file over as a connector would')
    .argument('<file>')
    .requiredOption('--connector <id>', 'the connector that delivers it')
    .option('--source-id <id>', 'its name at the source; default: the name of the file')
    .addOption(new Option('--kind <kind>').choices(['voicemail', 'recording']).default('voicemail'))
    .option('--mailbox <address>')
    .option('--from <number>')
    .option('--to <number>')
    .action((file, options) =>
      withOperator((operator, out) => ingestFile(operator, out, { ...options, file })),
    )
  program
    .command('code')
    .description('print the code of the moment for an authenticator key')
    .argument('<key>')
    .action(key => showCode(output(), key))
  return program
}

interface Runners {
  readonly withOperator: (work: (operator: Operator, output: Output) => Promise<void>) => Promise<void>
  readonly withAuthority: (
    work: (operator: Operator, output: Output, authority: Authority) => Promise<void>,
  ) => Promise<void>
  /** The person of AURICLE_TOKEN, or of the session that `login` kept. */
  readonly withPerson: (
    work: (operator: Operator, output: Output, person: CommandPerson) => Promise<void>,
  ) => Promise<void>
  /** The person of the session alone. */
  readonly withSession: Runners['withPerson']
}

function addSetUp(program: Command, { withOperator }: Pick<Runners, 'withOperator'>): void {
  const ofTenant = ['--tenant <name>', 'short name of the tenant; needed where there are several'] as const
  const gather = (value: string, before: readonly string[]) => [...before, value]

  const tenant = program.command('tenant').description('the organisations of this deployment')
  tenant
    .command('create')
    .description('make a tenant')
    .argument('<short-name>')
    .requiredOption('--name <name>')
    .option('--keep-days <days>', 'days a recording is kept at least', wholeNumber, keepDaysDefault)
    .action((slug, options) =>
      withOperator((operator, out) => addTenant(operator, out, { slug, ...options })),
    )
  tenant
    .command('list')
    .description('all tenants')
    .action(() => withOperator(listTenants))
  tenant
    .command('limits')
    .description('how long sign-ins and emergency access last; shows them where nothing is given')
    .option('--idle <time>', 'a session without a request, up to 15m', duration)
    .option('--session <time>', 'a session, up to 12h', duration)
    .option('--break-glass <time>', 'emergency access, up to 4h', duration)
    .option('--review <time>', 'until emergency access is reviewed, up to 7d', duration)
    .option(...ofTenant)
    .action(({ tenant, ...limits }) =>
      withOperator((operator, out) => changeLimits(operator, out, tenant, limits)),
    )

  const mailbox = program.command('mailbox').description('where recordings go, and who may hear them')
  mailbox
    .command('create')
    .description('make a mailbox')
    .argument('<address>', 'extension or queue as the PBX names it')
    .requiredOption('--name <name>')
    .option('--owner <login>', 'who hears it; may be repeated', gather, [])
    .option(...ofTenant)
    .action((address, { owner, ...options }) =>
      withOperator((operator, out) => addMailbox(operator, out, { ...options, address, owners: owner })),
    )
  mailbox
    .command('assign')
    .description('let one more user hear a mailbox')
    .argument('<address>')
    .argument('<login>')
    .option(...ofTenant)
    .action((address, login, { tenant }) =>
      withOperator((operator, out) => addOwner(operator, out, { tenant, address, login })),
    )
  mailbox
    .command('list')
    .description('all mailboxes, and who hears them')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listMailboxes(operator, out, tenant)))

  const connector = program.command('connector').description('the PBXs of a tenant')
  connector
    .command('create')
    .description('make a connector, and show its secret once')
    .argument('<kind>', 'standard or upload')
    .requiredOption('--name <name>')
    .option('--mailbox <address>', 'where recordings go that name no mailbox')
    .option('--max-bytes <bytes>', 'most bytes of one recording', wholeNumber, maxBytesDefault)
    .option('--idle-timeout-ms <ms>', 'longest pause in a delivery', wholeNumber, idleTimeoutMsDefault)
    .option(
      '--allow-host <origin>',
      'where audio may be fetched from, as origin or origin=CIDR; may be repeated',
      gather,
      [],
    )
    .option(...ofTenant)
    .action((kind, { allowHost, ...options }) =>
      withOperator((operator, out) =>
        addConnector(operator, out, { ...options, kind, allowedHosts: allowHost.map(parseAllowedHost) }),
      ),
    )
  connector
    .command('rotate')
    .description('make a new secret for a connector, and show it once')
    .argument('<id>')
    .option('--overlap <time>', 'how long the old secret still holds, up to 7d', duration, overlapMsDefault)
    .option('--end-overlap', 'end an overlap that still runs', false)
    .option(...ofTenant)
    .action((id, { tenant, overlap, endOverlap }) =>
      withOperator((operator, out) =>
        changeSecret(operator, out, { tenant, id, overlapMs: overlap, endOverlap }),
      ),
    )
  connector
    .command('disable')
    .description('take nothing from a connector any more, for good')
    .argument('<id>')
    .option(...ofTenant)
    .action((id, { tenant }) => withOperator((operator, out) => endConnector(operator, out, tenant, id)))
  connector
    .command('list')
    .description('all connectors')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listConnectors(operator, out, tenant)))

  const token = program.command('token').description('bearer tokens for programs')
  token
    .command('create')
    .description('make a token, and show it once')
    .argument('<login>', 'the user it acts for')
    .option('--days <days>', 'how long it is valid', Number, 30)
    .option(...ofTenant)
    .addOption(
      new Option('--scope <scope...>', 'what it may be used for, of what the user may do')
        .choices(Scope.options)
        .default(['recordings.read', 'recordings.play']),
    )
    .action((login, { tenant, days, scope }) =>
      withOperator((operator, out) => addToken(operator, out, { tenant, login, days, scopes: scope })),
    )
  token
    .command('list')
    .description('all tokens, without their secrets')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => listTokens(operator, out, tenant)))
  token
    .command('revoke')
    .description('end a token at once')
    .argument('<id>')
    .option(...ofTenant)
    .action((id, { tenant }) => withOperator((operator, out) => endToken(operator, out, tenant, id)))

  const intake = program.command('intake').description('deliveries that are not archived yet')
  intake
    .command('list')
    .description('deliveries in quarantine, or waiting')
    .addOption(new Option('--state <state>').choices(['received', 'quarantined']).default('quarantined'))
    .option(...ofTenant)
    .action(({ tenant, state }) => withOperator((operator, out) => listIntakes(operator, out, tenant, state)))
  intake
    .command('retry')
    .description('take a delivery out of quarantine and try again')
    .argument('<id>')
    .option(...ofTenant)
    .action((id, { tenant }) => withOperator((operator, out) => retryIntake(operator, out, tenant, id)))
}

function addListening(
  program: Command,
  {
    withAuthority,
    withPerson,
    withSession,
    session,
  }: Omit<Runners, 'withOperator'> & { readonly session: string },
): void {
  program
    .command('login')
    .description('sign in, for ls, play and export')
    .option('--tenant <name>')
    .option('--login <login>')
    .action(options =>
      withAuthority((operator, out, authority) =>
        login(operator, out, authority, { ...options, file: session }),
      ),
    )
  program
    .command('logout')
    .description('end the session')
    .action(() => withSession((operator, out, person) => logout(operator, out, person, session)))
  program
    .command('ls')
    .description('recordings of your mailboxes, newest first')
    .option('--mailbox <address>')
    .addOption(new Option('--kind <kind>').choices(['voicemail', 'recording']))
    .option('--after <time>', 'started at or after, RFC 3339 UTC')
    .option('--before <time>', 'started before, RFC 3339 UTC')
    .option('--number <number>', 'exact number of either party')
    .addOption(new Option('--heard <yes|no>').choices(['yes', 'no']))
    .addOption(new Option('--held <yes|no>', 'under a legal hold').choices(['yes', 'no']))
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => list(operator, out, person, options)))
  program
    .command('play')
    .description('play a recording aloud, into a pipe, or to a file')
    .argument('<recording>')
    .option('-o, --output <file>', 'write to this new file; clear audio, guard it')
    .option('--original', 'the bytes as delivered instead of the rendition', false)
    .action((id, options) =>
      withPerson((operator, out, person) => play(operator, out, person, { id, ...options })),
    )
  program
    .command('export')
    .description('write recordings and their facts into a folder; clear audio, guard it')
    .argument('<recordings...>')
    .requiredOption('-o, --output <folder>')
    .option('--rendition', 'the rendition instead of the bytes as delivered', false)
    .action((ids, { output: folder, rendition }) =>
      withPerson((operator, out, person) =>
        exportRecordings(operator, out, person, { ids, folder, original: !rendition }),
      ),
    )
}

function addBreakGlass(program: Command, { withPerson }: Pick<Runners, 'withPerson'>): void {
  const breakGlass = program
    .command('break-glass')
    .description('emergency access to all mailboxes, which somebody else judges')
  breakGlass
    .command('start')
    .description('open it; the compliance officer is told')
    .requiredOption('--reason <text>', 'why, in 10 to 1000 characters')
    .action(({ reason }) => withPerson((operator, out, person) => startAccess(operator, out, person, reason)))
  breakGlass
    .command('end')
    .description('end your own early')
    .argument('[id]', 'default: the one that is open')
    .action(id => withPerson((operator, out, person) => endAccess(operator, out, person, id)))
  breakGlass
    .command('list')
    .description("your own; everybody's for those who oversee")
    .addOption(new Option('--state <state>').choices(BreakGlassState.options))
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => listAccess(operator, out, person, options)))
  breakGlass
    .command('show')
    .description('its reason, and for those who oversee what was heard under it')
    .argument('<id>')
    .option('--cursor <cursor>')
    .action((id, options) =>
      withPerson((operator, out, person) => showAccess(operator, out, person, { id, ...options })),
    )
  breakGlass
    .command('review')
    .description("judge somebody else's, once")
    .argument('<id>')
    .addOption(
      new Option('--verdict <verdict>').choices(['justified', 'not-justified']).makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'what it rests on, in at most 1000 characters')
    .action((id, options) =>
      withPerson((operator, out, person) => reviewAccess(operator, out, person, { id, ...options })),
    )
}

const unitMs = { m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const

/** `90m`, `24h`, `7d`, in milliseconds. */
function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (unit !== 'm' && unit !== 'h' && unit !== 'd')
    throw new InvalidArgumentError('a time such as 90m, 24h or 7d is expected')
  return Number(count) * unitMs[unit]
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1 is needed')
  return value
}
