// Every check of the Terraform files that needs neither Terraform nor a network.
import { readConfiguration } from './configuration.ts'
import type { ProviderSchema } from './provider-schema.ts'
import { judgeReferences } from './references.ts'
import { judgeRules } from './rules.ts'
import { judgeSchema } from './schema.ts'

/** `files`: the text of each `.tf` file by its path from one root. Each problem is a sentence that begins with its file. */
export async function judgeTerraform(
  files: ReadonlyMap<string, string>,
  schema: ProviderSchema,
): Promise<string[]> {
  const configuration = await readConfiguration(files)
  const { modules, problems } = configuration
  const found = [...modules.values()].flatMap(module => [
    ...judgeSchema(module, modules, schema),
    ...judgeReferences(module, modules, schema),
  ])
  return [...new Set([...problems, ...found, ...judgeRules(configuration)])]
}
