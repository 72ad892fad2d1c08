// Holds terraform/ against the provider's schema, our own rules and, where there is a terraform binary, its format and
// its tests. Uses no network. Usage: node infra/check-terraform.ts
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, cpSync, globSync, mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { judgeTerraform } from './terraform-check/judge.ts'
import type { ProviderSchema } from './terraform-check/provider-schema.ts'

const root = join(dirname(dirname(fileURLToPath(import.meta.url))), 'terraform')
const schemaFile = new URL('terraform-check/provider-schema.json', import.meta.url)
const say = (line: string) => process.stdout.write(`${line}\n`)

const schema: ProviderSchema = JSON.parse(readFileSync(schemaFile, 'utf8'))
const files = new Map(
  globSync('**/*.tf', { cwd: root }).map(path => [path, readFileSync(join(root, path), 'utf8')]),
)
const problems = await judgeTerraform(files, schema)
say(`${files.size} files held against ${schema.source} and our rules: ${problems.length} problems`)
for (const problem of problems) say(`  terraform/${problem}`)
let failed = problems.length > 0

if (!isInstalled('terraform')) say('terraform is not installed: its format and its tests were not run')
else {
  await terraform('format', root, ['fmt', '-check', '-recursive', '-diff', '-no-color'])
  for (const folder of new Set(
    globSync('**/tests/*.tftest.hcl', { cwd: root }).map(path => dirname(dirname(path))),
  )) {
    // A copy, since `init` writes beside what it looks at.
    using copy = mkdtempDisposableSync(join(tmpdir(), 'auricle-terraform-'))
    cpSync(join(root, folder), copy.path, { recursive: true })
    const name = `tests of ${folder}`
    if (await terraform(`${name}: init`, copy.path, ['init', '-backend=false', '-input=false', '-no-color']))
      await terraform(name, copy.path, ['test', '-no-color'])
  }
}
if (failed) process.exitCode = 1

function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function terraform(name: string, cwd: string, args: readonly string[]): Promise<boolean> {
  const child = spawn('terraform', args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // It neither asks for news nor reads the settings of whoever runs it.
    env: { ...process.env, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1', TF_CLI_CONFIG_FILE: '/dev/null' },
  })
  const outcome = once(child, 'close')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), outcome])
  const lines = output.trim().split('\n')
  say(code === 0 ? `terraform ${name}: ${args[0] === 'test' ? lines.at(-1) : 'ok'}` : `${output}${errors}`)
  if (code !== 0) {
    say(`terraform ${name} failed`)
    failed = true
  }
  return code === 0
}
