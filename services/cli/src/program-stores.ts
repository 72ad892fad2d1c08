// The commands about what the stores keep, beside those about rules.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { lookForDrift } from './commands/retention-drift.ts'
import { shortenRetention } from './commands/retention-shorten.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'

export interface StoreRunners {
  readonly withOperator: (work: (operator: Operator, output: Output) => Promise<void>) => Promise<void>
  /** The command did what it was asked, and what it found is not as it should be. */
  readonly fail: () => void
}

export function addStoreCommands(retention: Command, { withOperator, fail }: StoreRunners): void {
  retention
    .command('drift')
    .description('hold both stores against what is decided, and mend what can be')
    .option('--tenant <name>', 'only this tenant')
    .option('--mend <yes>', 'false: look and change nothing', truth, true)
    .action(options =>
      withOperator(async (operator, out) => {
        if (!(await lookForDrift(operator, out, options))) fail()
      }),
    )
  retention
    .command('shorten')
    .description(
      'bring down what the stores keep for longer than is decided, where nothing locks or holds it',
    )
    .option('--tenant <name>', 'only this tenant')
    .option('--dry-run', 'say what it would be, and change nothing')
    .action(options =>
      withOperator(async (operator, out) => {
        if (!(await shortenRetention(operator, out, options))) fail()
      }),
    )
}

function truth(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new InvalidArgumentError('It is true or false.')
}
