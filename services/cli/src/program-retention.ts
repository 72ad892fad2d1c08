// What `auricle retention` is called with.
import { Argument, type Command } from 'commander'
import { explainOne, previewChange } from './commands/retention-decisions.ts'
import {
  decideSet,
  listEvents,
  recordBirth,
  recordEvent,
  showRecordSet,
  withdrawEvent,
} from './commands/retention-facts.ts'
import {
  approveRule,
  changeRule,
  changeSettings,
  endRule,
  listAllRules,
  proposeNewRule,
  showOneRule,
  showPresets,
  showSettings,
  withdrawRule,
} from './commands/retention-rules.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import type { CommandPerson } from './person.ts'
import { readStandardInput } from './prompt.ts'

export interface RetentionRunners {
  readonly withPerson: (
    work: (operator: Operator, output: Output, person: CommandPerson) => Promise<void>,
  ) => Promise<void>
}

const ofPatient = ['--patient <reference>', "the PBX's reference, or the name in the log"] as const
const ofRecording = ['--recording <id>', 'one recording'] as const
const fromFile = ['--file <path>', 'the definition, in JSON'] as const
const fromPreset = ['--preset <id>', 'as one of `auricle retention presets`'] as const
const fromTime = ['--from <time>', 'in force from then on, RFC 3339 UTC; default: as soon as may be'] as const
const ofVersion = ['--version-number <number>', 'which version of it'] as const
const aRule = ['<rule>', 'its name or its id'] as const

export function addRetentionCommands(program: Command, runners: RetentionRunners): Command {
  const retention = program
    .command('retention')
    .description('how long recordings are kept, and by which rules')
  addRules(retention, runners)
  addDecisions(retention, runners)
  addPresets(retention, runners)
  addSettings(retention, runners)
  addFacts(retention, runners)
  addRecordSet(retention, runners)
  return retention
}

function addRules(retention: Command, { withPerson }: RetentionRunners): void {
  const rules = retention.command('rules').description('the rules: what keeps what for how long')
  rules
    .command('list', { isDefault: true })
    .description('all rules, with what is still to come of them')
    .action(() => withPerson(listAllRules))
  rules
    .command('show')
    .description('one rule with all of its versions')
    .argument(...aRule)
    .action(rule => withPerson((operator, out, person) => showOneRule(operator, out, person, rule)))
  rules
    .command('propose')
    .description('a new rule: in force at once, unless recordings could go by it without anybody looking')
    .argument('<name>')
    .option(...fromFile)
    .option(...fromPreset)
    .option(...fromTime)
    .action((name, options) =>
      withPerson((operator, out, person) => proposeNewRule(operator, out, person, name, options)),
    )
  rules
    .command('change')
    .description(
      'another version: in force at once where it shortens nothing, else after another person approved it',
    )
    .argument(...aRule)
    .option(...fromFile)
    .option(...fromPreset)
    .option(...fromTime)
    .action((rule, options) =>
      withPerson((operator, out, person) => changeRule(operator, out, person, rule, options)),
    )
  rules
    .command('end')
    .description('the end of a rule, once another person approved it')
    .argument(...aRule)
    .action(rule => withPerson((operator, out, person) => endRule(operator, out, person, rule)))
  rules
    .command('approve')
    .description('what somebody else proposed and what shortens; in force thirty days later at the soonest')
    .argument(...aRule)
    .requiredOption(...ofVersion)
    .option(...fromTime)
    .action((rule, { versionNumber, from }) =>
      withPerson((operator, out, person) =>
        approveRule(operator, out, person, rule, { version: versionNumber, from }),
      ),
    )
  rules
    .command('withdraw')
    .description('what is proposed, or approved and not yet in force')
    .argument(...aRule)
    .requiredOption(...ofVersion)
    .action((rule, { versionNumber }) =>
      withPerson((operator, out, person) =>
        withdrawRule(operator, out, person, rule, { version: versionNumber }),
      ),
    )
}

function addPresets(retention: Command, { withPerson }: RetentionRunners): void {
  retention
    .command('presets')
    .description('what laws say and practices do, each with its source; of one, its definition in JSON')
    .argument('[id]')
    .action(id => withPerson((operator, out, person) => showPresets(operator, out, person, id)))
}

function addDecisions(retention: Command, { withPerson }: RetentionRunners): void {
  retention
    .command('explain')
    .description('how long one recording is kept, by which version of which rule, and why')
    .argument('<recording>', 'its id')
    .action(recording => withPerson((operator, out, person) => explainOne(operator, out, person, recording)))
  retention
    .command('preview')
    .description('what a rule would do to the recordings that are there; changes nothing')
    .argument('[file]', 'the definition, in JSON')
    .option('--rule <rule>', 'another version of this rule, by name or id; default: a new one')
    .option('--end', 'the end of that rule')
    .action((file, options) =>
      withPerson((operator, out, person) => previewChange(operator, out, person, file, options)),
    )
}

function addSettings(retention: Command, { withPerson }: RetentionRunners): void {
  const settings = retention.command('settings').description('the calendar, and how long each step waits')
  settings
    .command('show', { isDefault: true })
    .description('the settings as they are')
    .action(() => withPerson(showSettings))
  settings
    .command('set')
    .description('what is not given stays')
    .option('--zone <zone>', 'by whose calendar years count, such as America/New_York')
    .option('--stages <count>', 'how many people look at a disposition, besides whoever proposed it')
    .option('--waiting-days <days>', 'between the last yes to a disposition and the first deletion')
    .option('--shortening-days <days>', 'between the approval of what shortens and its effect')
    .option('--storage-price <price>', 'of a gibibyte and month, such as "0.02 USD", or none')
    .action(options => withPerson((operator, out, person) => changeSettings(operator, out, person, options)))
}

function addFacts(retention: Command, { withPerson }: RetentionRunners): void {
  const event = retention.command('event').description('what happened that rules count from')
  event
    .command('record')
    .description('such as treatment_ended, of a patient or of one recording')
    .argument('<kind>')
    .option(...ofPatient)
    .option(...ofRecording)
    .requiredOption('--at <time>', 'when it happened, RFC 3339 UTC')
    .action((kind, options) =>
      withPerson((operator, out, person) => recordEvent(operator, out, person, kind, options)),
    )
  event
    .command('list')
    .description('all that is recorded, newest first')
    .option(...ofPatient)
    .option(...ofRecording)
    .action(options => withPerson((operator, out, person) => listEvents(operator, out, person, options)))
  event
    .command('withdraw')
    .description('one that was wrong')
    .argument('<id>')
    .action(id => withPerson((operator, out, person) => withdrawEvent(operator, out, person, id)))
  retention
    .command('birth-date')
    .description('of a patient, for rules about minors; the date is read from standard input')
    .requiredOption(...ofPatient)
    .option('--forget', 'take back what was recorded', false)
    .action(({ patient, forget }) =>
      withPerson(async (operator, out, person) => {
        const date = forget === true ? null : await readStandardInput()
        await recordBirth(operator, out, person, patient, date)
      }),
    )
}

function addRecordSet(retention: Command, { withPerson }: RetentionRunners): void {
  const set = retention.command('record-set').description('what is part of the designated record set')
  set
    .command('list', { isDefault: true })
    .description('mailboxes, those with undecided recordings first, and decisions on single recordings')
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => showRecordSet(operator, out, person, options)))
  set
    .command('decide')
    .description('of a mailbox, or of one recording')
    .addArgument(new Argument('<decision>').choices(['in', 'out', 'undecided']))
    .option('--mailbox <address>')
    .option(...ofRecording)
    .requiredOption('--rationale <text>', 'why, in your own words; kept encrypted')
    .action((decision, options) =>
      withPerson((operator, out, person) => decideSet(operator, out, person, decision, options)),
    )
}
