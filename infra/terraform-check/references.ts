// Whether everything that is named is declared, and everything that is declared is named.
import { posix } from 'node:path'
import type { Block, Body, Module, Value } from './configuration.ts'
import { asBody, isBody } from './configuration.ts'
import { type Reference, referencesIn } from './expressions.ts'
import type { BlockType, ProviderSchema } from './provider-schema.ts'

/** Open to every expression. */
const always = new Set(['path', 'terraform'])

export function judgeReferences(
  module: Module,
  modules: ReadonlyMap<string, Module>,
  schema: ProviderSchema,
): string[] {
  const wrong: string[] = []
  const used = new Set<string>()

  function judge(file: string, title: string, value: Value, names: ReadonlySet<string>): void {
    for (const { parts } of referencesIn(value)) {
      used.add(parts.slice(0, 2).join('.'))
      const sentence = judgeOne(parts, names)
      if (sentence !== null) wrong.push(`${file}: ${title} names ${parts.join('.')}, ${sentence}`)
    }
  }

  function judgeOne(parts: Reference['parts'], names: ReadonlySet<string>): string | null {
    const [root = '', name = '', attribute] = parts
    if (always.has(root) || names.has(root)) return null
    switch (root) {
      case 'var':
        return module.variables.has(name) ? null : 'which is not declared'
      case 'local':
        return module.locals.has(name) ? null : 'which is not declared'
      case 'module':
        return judgeOutput(name, attribute)
      case 'data':
        return judgeAttribute(module.data, schema.data, name, attribute ?? '', parts[3])
      case 'each':
        return 'outside of for_each'
      case 'count':
        return 'outside of count'
      default:
        return judgeAttribute(module.resources, schema.resources, root, name, attribute)
    }
  }

  function judgeOutput(name: string, output: string | undefined): string | null {
    const source = module.calls.get(name)?.body['source']
    if (typeof source !== 'string') return 'which is not declared'
    const target = modules.get(posix.join(module.folder, source))
    return target === undefined || output === undefined || target.outputs.has(output)
      ? null
      : `which ${target.folder} does not give out`
  }

  function judgeAttribute(
    blocks: Module['resources'],
    types: Readonly<Record<string, BlockType>>,
    type: string,
    name: string,
    attribute: string | undefined,
  ): string | null {
    if (!blocks.some(found => found.type === type && found.name === name)) return 'which is not declared'
    const attributes = types[type]?.attributes
    return attribute === undefined || attributes === undefined || attributes.includes(attribute)
      ? null
      : 'which there is not'
  }

  function judgeBlock({ file, title, body }: Block): void {
    const names = new Set<string>()
    if (body['for_each'] !== undefined) names.add('each')
    if (body['count'] !== undefined) names.add('count')
    if (body['lifecycle'] !== undefined) names.add('self')
    judgeWithin(file, title, body, names)
  }

  function judgeWithin(file: string, title: string, body: Body, names: ReadonlySet<string>): void {
    const { dynamic, ...plain } = body
    judge(file, title, isBody(dynamic) ? plain : body, names)
    // Within a dynamic block its own name stands for the turn.
    for (const [label, blocks] of Object.entries(asBody(dynamic))) {
      for (const block of Array.isArray(blocks) ? blocks.filter(isBody) : []) {
        const { content, iterator, ...frame } = block
        judge(file, title, frame, names)
        const turn = typeof iterator === 'string' ? iterator.replace(/^\$\{|\}$/g, '') : label
        for (const inner of Array.isArray(content) ? content.filter(isBody) : [])
          judgeWithin(file, title, inner, new Set([...names, turn]))
      }
    }
  }

  for (const [name, { file, title, body }] of module.variables) {
    const { type: _type, ...rest } = body
    // A validation that names its own variable is no use of it.
    const isUsed = used.has(`var.${name}`)
    judge(file, title, rest, new Set())
    if (!isUsed) used.delete(`var.${name}`)
  }
  for (const [name, { file, value }] of module.locals) judge(file, `local ${name}`, value, new Set())
  const blocks = [
    module.outputs.values(),
    module.calls.values(),
    module.resources,
    module.data,
    module.providers,
  ]
  for (const found of blocks.flatMap(list => [...list])) judgeBlock(found)

  for (const [name, { file }] of module.variables) {
    if (!used.has(`var.${name}`)) wrong.push(`${file}: variable ${name} is not used`)
  }
  for (const [name, { file }] of module.locals) {
    if (!used.has(`local.${name}`)) wrong.push(`${file}: local ${name} is not used`)
  }
  return wrong
}
