// Holds every block against what Terraform and the provider accept: names, nesting, what is required, plain types.
import { posix } from 'node:path'
import { asBlocks, asBody, type Block, type Body, isBody, type Module, type Value } from './configuration.ts'
import type { Argument, Arguments, BlockType, ProviderSchema } from './provider-schema.ts'

const optional = (kind: 'string' | 'number' | 'boolean' | 'list' | 'map'): Argument => ({
  kind,
  required: false,
})
const required = (kind: 'string' | 'boolean'): Argument => ({ kind, required: true })
const block = (many: boolean, args: Arguments): Argument => ({
  kind: 'block',
  many,
  arguments: args,
  required: false,
})

const condition = block(true, { condition: required('boolean'), error_message: required('string') })

const lifecycle = block(false, {
  create_before_destroy: optional('boolean'),
  prevent_destroy: optional('boolean'),
  ignore_changes: optional('list'),
  replace_triggered_by: optional('list'),
  precondition: condition,
  postcondition: condition,
})

const meta: Arguments = {
  count: optional('number'),
  for_each: optional('map'),
  depends_on: optional('list'),
  provider: optional('string'),
  lifecycle,
}

/** Ours ask more than Terraform's: everything says what it is. */
const variableArguments: Arguments = {
  description: required('string'),
  // An expression of its own kind, such as map(string).
  type: required('string'),
  default: optional('string'),
  sensitive: optional('boolean'),
  nullable: optional('boolean'),
  validation: condition,
}

const outputArguments: Arguments = {
  description: required('string'),
  value: { kind: 'string', required: true },
  sensitive: optional('boolean'),
  depends_on: optional('list'),
  precondition: condition,
}

const terraformArguments: Arguments = {
  required_version: required('string'),
  required_providers: block(false, { google: optional('map') }),
}

/** Their values may be anything. */
const anyValue = new Set(['default', 'value', 'for_each', 'type'])

/** Every departure as a sentence that begins with its file. */
export function judgeSchema(
  module: Module,
  modules: ReadonlyMap<string, Module>,
  schema: ProviderSchema,
): string[] {
  const wrong: string[] = []
  const judge = (found: Block, args: Arguments) => judgeBody(found, found.title, found.body, args, wrong)
  for (const variable of module.variables.values()) judge(variable, variableArguments)
  for (const output of module.outputs.values()) judge(output, outputArguments)
  for (const settings of module.settings) judge(settings, terraformArguments)
  for (const provider of module.providers) {
    if (provider.type === 'google') judge(provider, schema.provider)
    else wrong.push(`${provider.file}: ${provider.title} is not one of ours`)
  }
  const judgeTyped = (types: Readonly<Record<string, BlockType>>, blocks: Module['resources']) => {
    for (const found of blocks) {
      const type = types[found.type]
      if (type === undefined) wrong.push(`${found.file}: ${found.title} is of no type that the schema has`)
      else judge(found, { ...type.arguments, ...meta })
    }
  }
  judgeTyped(schema.resources, module.resources)
  judgeTyped(schema.data, module.data)
  for (const call of module.calls.values()) judgeCall(module, call, modules, wrong)
  wrong.push(...judgeVersions(module))
  return wrong
}

function judgeBody(found: Block, path: string, body: Body, args: Arguments, wrong: string[]): void {
  const say = (sentence: string) => wrong.push(`${found.file}: ${path} ${sentence}`)
  const dynamic = asBody(body['dynamic'])
  for (const [name, value] of Object.entries(body)) {
    if (name === 'dynamic' && isBody(value)) continue
    const argument = args[name]
    if (argument === undefined) say(`has no argument or block "${name}"`)
    else if (argument.kind === 'block') judgeBlocks(found, `${path}.${name}`, value, argument, wrong)
    else if (!anyValue.has(name) && !fits(value, argument.kind)) {
      say(`wants a ${argument.kind} for "${name}"`)
    }
  }
  for (const [name, blocks] of Object.entries(dynamic)) {
    const argument = args[name]
    if (argument?.kind !== 'block') say(`has no block "${name}"`)
    else {
      for (const { content, ...frame } of asBlocks(blocks)) {
        const frameArguments = {
          for_each: { kind: 'list', required: true },
          iterator: optional('string'),
        } as const
        judgeBody(found, `${path}.dynamic ${name}`, frame, frameArguments, wrong)
        if (content === undefined) say(`has a dynamic block "${name}" without content`)
        else judgeBlocks(found, `${path}.${name}`, content, argument, wrong)
      }
    }
  }
  for (const [name, argument] of Object.entries(args)) {
    if (argument.required && body[name] === undefined && dynamic[name] === undefined) say(`lacks "${name}"`)
  }
}

function judgeBlocks(
  found: Block,
  path: string,
  value: Value,
  argument: Extract<Argument, { kind: 'block' }>,
  wrong: string[],
): void {
  if (!Array.isArray(value) || !value.every(isBody)) {
    wrong.push(`${found.file}: ${path} is a block, not an argument`)
    return
  }
  if (value.length > 1 && !argument.many) wrong.push(`${found.file}: ${path} is given more than once`)
  for (const body of value) judgeBody(found, path, body, argument.arguments, wrong)
}

/** Whether a literal is of the kind, as Terraform converts between them; an expression may be anything. */
function fits(value: Value, kind: Exclude<Argument['kind'], 'block'>): boolean {
  if (value === null || (typeof value === 'string' && /[$%]\{/.test(value))) return true
  switch (kind) {
    case 'string':
      return typeof value !== 'object'
    case 'number':
      return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
    case 'boolean':
      return typeof value === 'boolean' || value === 'true' || value === 'false'
    case 'list':
      return Array.isArray(value) && !(value.length > 0 && value.every(isBody))
    case 'map':
      return isBody(value)
  }
}

function judgeCall(module: Module, call: Block, modules: ReadonlyMap<string, Module>, wrong: string[]): void {
  const { source, count, for_each, depends_on, providers, ...given } = call.body
  const say = (sentence: string) => wrong.push(`${call.file}: ${call.title} ${sentence}`)
  if (typeof source !== 'string' || !/^\.\.?\//.test(source)) {
    say('has no source among our own folders')
    return
  }
  const target = modules.get(posix.join(module.folder, source))
  if (target === undefined) {
    say(`has the source "${source}", where no module is`)
    return
  }
  for (const name of Object.keys(given)) {
    if (!target.variables.has(name))
      say(`has no argument "${name}": ${target.folder} declares no such variable`)
  }
  for (const [name, { body }] of target.variables) {
    if (body['default'] === undefined && given[name] === undefined) say(`lacks "${name}"`)
  }
}

/** Whoever uses the provider says which versions of it are meant, with both ends. */
function judgeVersions(module: Module): string[] {
  const [first, ...others] = module.settings
  if (first === undefined) return [`${module.folder}: no file says which version of Terraform is needed`]
  const wrong = others.map(({ file }) => `${file}: terraform is declared twice`)
  const needsProvider = module.resources.length + module.data.length + module.providers.length > 0
  const google = asBody(asBlocks(first.body['required_providers'])[0]?.['google'])
  if (!needsProvider) return wrong
  if (google['source'] !== 'hashicorp/google')
    wrong.push(`${first.file}: terraform.required_providers names no hashicorp/google`)
  const version = google['version']
  if (typeof version !== 'string' || !/^>= \d+\.\d+, < \d+\.\d+$/.test(version))
    wrong.push(`${first.file}: the version of the provider google is no range with both ends`)
  return wrong
}
