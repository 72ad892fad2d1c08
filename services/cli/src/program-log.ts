// The commands that read the log, and the reports that are made from it.
import { ReportFormat, ReportInterval, ReportSection } from '@auricle/contract'
import type { Command } from 'commander'
import { Option } from 'commander'
import { searchEvents, showOneEvent, showStatus } from './commands/log.ts'
import { checkOneReceipt } from './commands/receipt.ts'
import { reportAccess, reportDisclosures } from './commands/report.ts'
import { addSchedule, endSchedule, listRuns, listSchedules } from './commands/report-schedule.ts'
import { reportRetention } from './commands/retention-report.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import type { CommandPerson } from './person.ts'

export interface LogRunners {
  readonly withPerson: (
    work: (operator: Operator, output: Output, person: CommandPerson) => Promise<void>,
  ) => Promise<void>
  /** The command did what it was asked, and what it found is not as it should be. */
  readonly fail: () => void
}

const fromTime = ['--from <time>', 'at or after, RFC 3339 UTC'] as const
const toTime = ['--to <time>', 'before, RFC 3339 UTC'] as const
const ofPatient = ['--patient <reference>', "the PBX's reference, or the name in the log"] as const

export function addLogCommands(audit: Command, { withPerson, fail }: LogRunners): void {
  audit
    .command('search')
    .description('events, newest first')
    .option('--actor <who>', 'by whom: a login, an id, or a part of the vault')
    .option('--recording <id>')
    .option(...ofPatient)
    .option('--action <action>', 'such as recording.played')
    .addOption(new Option('--outcome <outcome>').choices(['allowed', 'denied', 'failed']))
    .option(...fromTime)
    .option(...toTime)
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => searchEvents(operator, out, person, options)))
  audit
    .command('show')
    .description('one event with its private part, and whether the log proves it')
    .argument('<event>')
    .action(id => withPerson((operator, out, person) => showOneEvent(operator, out, person, id)))
  audit
    .command('receipt')
    .description('whether the log keeps what a receipt promised')
    .argument('<receipt>', 'what the header X-Auricle-Receipt of an answer held')
    .action(text =>
      withPerson(async (operator, out, person) => {
        if (!(await checkOneReceipt(operator, out, person, text))) fail()
      }),
    )
  audit
    .command('status')
    .description('the logs: how large, how far signed, how far published')
    .action(() => withPerson(showStatus))
}

export function addReportCommands(program: Command, { withPerson }: Pick<LogRunners, 'withPerson'>): void {
  const report = program.command('report').description('reports for the compliance officer')
  report
    .command('access')
    .description('who came to what of a patient, to a recording, or by a user')
    .option(...ofPatient)
    .option('--user <login>')
    .option('--recording <id>')
    .option(...fromTime)
    .option(...toTime)
    .option('--csv', 'all of it for a spreadsheet', false)
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => reportAccess(operator, out, person, options)))
  report
    .command('disclosures')
    .description('the accounting of disclosures of a patient (45 CFR 164.528)')
    .requiredOption(...ofPatient)
    .option(...fromTime)
    .option(...toTime)
    .option('--summary', 'one line for several to one recipient for one purpose', false)
    .option('--csv', 'for a spreadsheet, or to hand over', false)
    .action(options =>
      withPerson((operator, out, person) => reportDisclosures(operator, out, person, options)),
    )
  report
    .command('retention')
    .description('what is kept and why, what is due, overdue, on hold and destroyed')
    .option('--as-of <time>', 'as of this time, RFC 3339 UTC; default: now')
    .option('--section <section>', ReportSection.options.join(', '))
    .addOption(
      new Option(
        '--format <format>',
        'default: tables for people; csv takes --section, pdf takes --out',
      ).choices(ReportFormat.options),
    )
    .option('--out <file>', 'a new file to write it to')
    .option('--limit <count>', 'most recordings that are named')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => reportRetention(operator, out, person, options)))
  addScheduleCommands(
    report.command('schedule').description('reports that are made by themselves'),
    withPerson,
  )
}

function addScheduleCommands(schedule: Command, withPerson: LogRunners['withPerson']): void {
  const gather = (value: string, before: readonly string[]) => [...before, value]
  schedule
    .command('add')
    .description('have it made each day, week or month')
    .requiredOption('--name <name>')
    .addOption(new Option('--every <interval>').choices(ReportInterval.options).makeOptionMandatory())
    .option('--section <section>', 'may be repeated; default: all', gather, [])
    .option('--format <format>', 'json, csv or pdf; may be repeated; default: pdf', gather, [])
    .option('--store', 'into the store for reports', false)
    .option('--mail <address>', 'tell somebody that it is ready; may be repeated', gather, [])
    .action(options => withPerson((operator, out, person) => addSchedule(operator, out, person, options)))
  schedule
    .command('list')
    .description('what is made when')
    .option('--all', 'also what has ended', false)
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => listSchedules(operator, out, person, options)))
  schedule
    .command('end')
    .description('make it no more')
    .argument('<schedule>')
    .action(id => withPerson((operator, out, person) => endSchedule(operator, out, person, id)))
  schedule
    .command('runs')
    .description('what came of it')
    .option('--schedule <schedule>')
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => listRuns(operator, out, person, options)))
}
