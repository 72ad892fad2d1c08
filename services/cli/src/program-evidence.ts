// The commands about evidence of the log: exported, checked, and by whose keys.
import { type Command, InvalidArgumentError } from 'commander'
import { exportLog, verifyLog, writePolicy } from './commands/evidence.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'

const maxAgeHoursDefault = 24

export interface EvidenceRunners {
  readonly withOperator: <Result>(
    work: (operator: Operator, output: Output) => Promise<Result>,
  ) => Promise<Result>
  readonly output: () => Output
  readonly exit: (code: number) => void
}

export function addEvidenceCommands(audit: Command, { withOperator, output, exit }: EvidenceRunners): void {
  const ofTenant = ['--tenant <name>', 'short name of the tenant; needed where there are several'] as const
  audit
    .command('export')
    .description('write evidence that is checked without the vault')
    .requiredOption('--out <file>', 'a new file; packed where its name ends in .gz')
    .option('--patient <reference>', 'asks for events about this patient: reference, or name in the log')
    .option('--user <login>', 'asks for events by this person: login or id')
    .option('--recording <id>', 'asks for events about this recording')
    .option('--from <time>', 'asks for events from this time on, such as 2026-11-22T00:00:00Z')
    .option('--to <time>', 'asks for events before this time')
    .option('--private', 'show the private parts of the events that are asked for', false)
    .option(...ofTenant)
    .action(options => withOperator((operator, out) => exportLog(operator, out, options)))
  audit
    .command('policy')
    .description('print whom to trust to check evidence; keep it when the contract is made')
    .option('--out <file>', 'write it to a new file')
    .action(({ out }) => withOperator((operator, printed) => writePolicy(operator, printed, out)))
  audit
    .command('verify')
    .description('check evidence, or with no file the log as it is now')
    .argument('[bundle]', 'a file of `auricle audit export`')
    .option('--policy <file>', 'whom to trust')
    .option('--trust-bundled-policy', 'take the word of the bundle itself for the keys', false)
    .option('--max-age-hours <hours>', 'older than this is stale', hours, maxAgeHoursDefault)
    .option('--tenant <name>', 'only the log of this tenant')
    .action(async (bundle: string | undefined, options) => {
      const asked = { ...options, bundle }
      if (bundle === undefined) {
        exit(await withOperator((operator, out) => verifyLog(async () => operator, out, asked)))
        return
      }
      const nobody = () => Promise.reject(new TypeError('a bundle is checked without the vault'))
      exit(await verifyLog(nobody, output(), asked))
    })
}

function hours(text: string): number {
  const value = Number(text)
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError('It is a number of hours.')
  return value
}
