// The commands about legal holds: placed, looked at, extended, released, and the notices of those who were told.
import { Label, RecordingKind } from '@auricle/contract'
import { type Command, Option } from 'commander'
import {
  acknowledge,
  extend,
  list,
  notices,
  place,
  preview,
  recordings,
  release,
  show,
} from './commands/hold.ts'
import type { LogRunners } from './program-log.ts'

type Runners = Pick<LogRunners, 'withPerson'>

const gather = (value: string, before: readonly string[]) => [...before, value]

export function addHoldCommands(program: Command, { withPerson }: Runners): void {
  const hold = program.command('hold').description('legal holds: what nothing may destroy (docs/holds.md)')
  withScope(
    hold
      .command('place')
      .description('hold what the options say, now and from now on')
      .requiredOption('--matter <name>', 'what it is about; sealed'),
  )
    .option('--notice <file>', 'a text file with what the custodians are told, beside the usual')
    .option('--custodian <login>', 'somebody to be told; may be repeated', gather, [])
    .action(options => withPerson((operator, out, person) => place(operator, out, person, options)))
  withScope(hold.command('preview').description('count what a hold would cover now')).action(options =>
    withPerson((operator, out, person) => preview(operator, out, person, options)),
  )
  withScope(hold.command('extend').description('more clauses, recordings or custodians').argument('<id>'))
    .option('--custodian <login>', 'somebody to be told; may be repeated', gather, [])
    .action((id, options) =>
      withPerson((operator, out, person) => extend(operator, out, person, id, options)),
    )
  hold
    .command('list')
    .description('holds, newest first')
    .addOption(new Option('--active <yes|no>', 'in force, or released').choices(['yes', 'no']))
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => list(operator, out, person, options)))
  hold
    .command('show')
    .description('its clauses, custodians, and what was done to it by whom')
    .argument('<id>')
    .action(id => withPerson((operator, out, person) => show(operator, out, person, id)))
  hold
    .command('recordings')
    .description('what it covers')
    .argument('<id>')
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action((id, options) =>
      withPerson((operator, out, person) => recordings(operator, out, person, id, options)),
    )
  hold
    .command('release')
    .description('end a hold, or take one recording out of it')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why, in at most 1000 characters; sealed')
    .option('--recording <id>', 'only this one')
    .action((id, options) =>
      withPerson((operator, out, person) => release(operator, out, person, { id, ...options })),
    )
  hold
    .command('notices')
    .description('what you were told to keep')
    .action(() => withPerson((operator, out, person) => notices(operator, out, person)))
  hold
    .command('acknowledge')
    .description('say that you have read a notice')
    .argument('<id>')
    .action(id => withPerson((operator, out, person) => acknowledge(operator, out, person, id)))
}

/** The options of one clause, which must all hold; and files with more. */
function withScope(command: Command): Command {
  return command
    .option('--mailbox <address>', 'of this mailbox: address or id')
    .option('--patient <reference>', 'of this patient')
    .option('--number <number>', 'with this number on either side')
    .addOption(new Option('--kind <kind>').choices(RecordingKind.options))
    .addOption(new Option('--label <label>').choices(Label.options))
    .option('--after <time>', 'started at or after, RFC 3339 UTC')
    .option('--before <time>', 'started before, RFC 3339 UTC')
    .option('--everything', 'all of the tenant')
    .option('--clauses <file>', 'a JSON array of further clauses')
    .option('--recording <id>', 'this one, whatever the clauses say; may be repeated', gather, [])
    .option('--recordings <file>', 'ids of recordings, one a line; as many as you like')
}
