// The commands about certificates of destruction.
import type { Command } from 'commander'
import {
  checkCertificate,
  exportCertificate,
  listDestroyed,
  showDestroyed,
  writeCertificateKeys,
} from './commands/certificate.ts'
import type { Operator } from './operator.ts'
import type { Output } from './output.ts'
import type { CommandPerson } from './person.ts'

export interface CertificateRunners {
  readonly withPerson: (
    work: (operator: Operator, output: Output, person: CommandPerson) => Promise<void>,
  ) => Promise<void>
  readonly output: () => Output
  readonly exit: (code: number) => void
}

export function addCertificateCommands(
  program: Command,
  { withPerson, output, exit }: CertificateRunners,
): void {
  const certificate = program.command('certificate').description('what is left of recordings that are gone')
  certificate
    .command('list')
    .description('from the newest destruction on')
    .option('--from <time>', 'destroyed at or after, RFC 3339 UTC')
    .option('--to <time>', 'destroyed before, RFC 3339 UTC')
    .option('--limit <count>')
    .option('--cursor <cursor>')
    .action(options => withPerson((operator, out, person) => listDestroyed(operator, out, person, options)))
  certificate
    .command('show')
    .description('what the certificate of a recording says')
    .argument('<recording>')
    .action(id => withPerson((operator, out, person) => showDestroyed(operator, out, person, id)))
  certificate
    .command('export')
    .description('write the signed text, which is checked without the vault')
    .argument('<recording>')
    .requiredOption('--out <file>', 'a new file')
    .action((recording, { out: file }) =>
      withPerson((operator, out, person) =>
        exportCertificate(operator, out, person, { recording, out: file }),
      ),
    )
  certificate
    .command('keys')
    .description('print the keys that certificates are checked with; keep them apart from the vault')
    .option('--out <file>', 'write them to a new file')
    .action(({ out: file }) =>
      withPerson((operator, out, person) => writeCertificateKeys(operator, out, person, file)),
    )
  certificate
    .command('verify')
    .description('check a certificate, without the vault')
    .argument('<file>', 'of `auricle certificate export`')
    .requiredOption('--jwks <file>', 'the keys of certificates')
    .requiredOption('--policy <file>', 'whom to trust for the log (`auricle audit policy`)')
    .action(async (file, { jwks, policy }) => {
      exit(await checkCertificate(output(), { certificate: file, jwks, policy }))
    })
}
