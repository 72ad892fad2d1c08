// What `auricle provider` is called with.
import type { Command } from 'commander'
import { addProvider, endProvider, lookAtProvider, parseGroup, showProviders } from './commands/provider.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import { readStandardInput } from './prompt.ts'

export interface ProviderRunners {
  readonly withOperator: (work: (operator: Operator, output: Output) => Promise<void>) => Promise<void>
  /** The command found something wrong, and did all the same what it was asked to. */
  readonly fail: () => void
}

const ofTenant = ['--tenant <name>', 'short name of the tenant; needed where there are several'] as const
const gather = (value: string, before: readonly string[]) => [...before, value]

export function addProviderCommands(program: Command, { withOperator, fail }: ProviderRunners): void {
  const provider = program.command('provider').description('where people sign in beside here')
  provider
    .command('add')
    .description('connect an OpenID provider; its client secret is read from standard input')
    .argument('<name>', 'as people see it at sign-in')
    .requiredOption('--issuer <url>')
    .requiredOption('--client-id <id>')
    .option('--require-amr <value>', 'a factor that must be shown, such as mfa; may be repeated', gather, [])
    .option('--require-acr <value>', 'a class the sign-in must be of; may be repeated', gather, [])
    .option('--group <group=role>', 'roles of everybody in a group; may be repeated', gather, [])
    .option('--provision', 'make a person of whoever comes first from such a group', false)
    .option(...ofTenant)
    .action((name, { tenant, issuer, clientId, requireAmr, requireAcr, group, provision }) =>
      withOperator(async (operator, out) => {
        const groups = group.map(parseGroup)
        const clientSecret = await readStandardInput()
        const asked = { tenant, name, issuer, clientId, clientSecret, groups, provision }
        await addProvider(operator, out, { ...asked, requiredAmr: requireAmr, requiredAcr: requireAcr })
      }),
    )
  provider
    .command('list')
    .description('all providers')
    .option(...ofTenant)
    .action(({ tenant }) => withOperator((operator, out) => showProviders(operator, out, tenant)))
  provider
    .command('check')
    .description('ask a provider about itself, and say what is wrong')
    .argument('<id>')
    .option(...ofTenant)
    .action((id, { tenant }) =>
      withOperator(async (operator, out) => {
        if (!(await lookAtProvider(operator, out, tenant, id))) fail()
      }),
    )
  provider
    .command('disable')
    .description('for good: nobody signs in there any more, and what came from it ends')
    .argument('<id>')
    .option(...ofTenant)
    .action((id, { tenant }) => withOperator((operator, out) => endProvider(operator, out, tenant, id)))
}
