// What `auricle dispose` is called with.
import { RecordingKind } from '@auricle/contract'
import { type Command, Option } from 'commander'
import { cancel, list, propose, review, run, show } from './commands/dispose.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import type { LogRunners } from './program-log.ts'

export interface DispositionRunners extends Pick<LogRunners, 'withPerson'> {
  readonly withOperator: (work: (operator: Operator, output: Output) => Promise<void>) => Promise<void>
}

const gather = (value: string, before: readonly string[]) => [...before, value]

export function addDispositionCommands(
  program: Command,
  { withPerson, withOperator }: DispositionRunners,
): void {
  const dispose = program
    .command('dispose')
    .description('the end of recordings whose time is over (docs/disposition.md)')
  dispose
    .command('list')
    .description('dispositions, newest first')
    .addOption(
      new Option('--state <state>').choices([
        'proposed',
        'waiting',
        'destroying',
        'done',
        'rejected',
        'cancelled',
      ]),
    )
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => list(operator, out, person, options)))
  dispose
    .command('show')
    .description('its recordings, who looked at it, and how far it is')
    .argument('<id>')
    .addOption(
      new Option('--state <state>', 'only recordings in this state').choices([
        'listed',
        'destroying',
        'destroyed',
        'kept',
        'stopped',
      ]),
    )
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action((id, options) => withPerson((operator, out, person) => show(operator, out, person, id, options)))
  dispose
    .command('propose')
    .description('list what is due for its end; others have to approve it')
    .option('--recording <id>', 'this one; may be repeated', gather, [])
    .option('--rule <id>', 'governed by this rule')
    .option('--mailbox <address>', 'of this mailbox: address or id')
    .addOption(new Option('--kind <kind>').choices(RecordingKind.options))
    .option('--due-before <time>', 'due before then, RFC 3339 UTC')
    .option('--preview', 'count, and propose nothing', false)
    .action(options => withPerson((operator, out, person) => propose(operator, out, person, options)))
  dispose
    .command('review')
    .description('say yes or no to what somebody else proposed')
    .argument('<id>')
    .addOption(new Option('--verdict <verdict>').choices(['approve', 'reject']).makeOptionMandatory())
    .option('--note <text>', 'why, in at most 1000 characters; sealed')
    .option('--keep <recording>', 'take this one out of it; may be repeated', gather, [])
    .action((id, options) =>
      withPerson((operator, out, person) => review(operator, out, person, id, options)),
    )
  dispose
    .command('cancel')
    .description('end a disposition before anything of it is destroyed')
    .argument('<id>')
    .action(id => withPerson((operator, out, person) => cancel(operator, out, person, id)))
  dispose
    .command('run')
    .description('one round now: propose what is due, destroy what is ready')
    .action(() => withOperator(run))
}
