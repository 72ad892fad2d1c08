// The Terraform files as modules: what each folder declares, and in which file.
import { createRequire } from 'node:module'
import { posix } from 'node:path'

// Imported, its typings would bring a browser's types into the whole program.
const require = createRequire(import.meta.url)
const { parse }: { parse: (name: string, text: string) => Promise<unknown> } = require('@cdktf/hcl2json')

/** A value as the parser gives it: expressions are `${...}` within strings, blocks are lists of objects. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }
export type Body = { readonly [name: string]: Value }

export interface Block {
  readonly file: string
  /** As a person would say it: `resource google_storage_bucket.store`. */
  readonly title: string
  readonly body: Body
}

export interface TypedBlock extends Block {
  readonly type: string
  readonly name: string
}

export interface Module {
  readonly folder: string
  readonly variables: ReadonlyMap<string, Block>
  readonly locals: ReadonlyMap<string, { readonly file: string; readonly value: Value }>
  readonly outputs: ReadonlyMap<string, Block>
  readonly calls: ReadonlyMap<string, Block>
  readonly resources: readonly TypedBlock[]
  readonly data: readonly TypedBlock[]
  readonly providers: readonly TypedBlock[]
  readonly settings: readonly Block[]
}

export interface Configuration {
  readonly modules: ReadonlyMap<string, Module>
  readonly problems: readonly string[]
}

/** Parsing is most of the work, and most files stay as they were from one call to the next. */
const parsed = new Map<string, Promise<unknown>>()

/** `files`: the text of each `.tf` file by its path. What cannot be parsed is a problem, and its file is left out. */
export async function readConfiguration(files: ReadonlyMap<string, string>): Promise<Configuration> {
  const problems: string[] = []
  const trees = new Map<string, [file: string, tree: Body][]>()
  for (const [file, text] of files) {
    const parsing = parsed.get(text) ?? parse(posix.basename(file), text)
    parsed.set(text, parsing)
    try {
      const folder = posix.dirname(file)
      trees.set(folder, [...(trees.get(folder) ?? []), [file, (await parsing) as Body]])
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : 'cannot be parsed'}`)
    }
  }
  const modules = [...trees].map(([folder, trees]) => [folder, readModule(folder, trees, problems)] as const)
  return { modules: new Map(modules), problems }
}

function readModule(
  folder: string,
  trees: readonly (readonly [file: string, tree: Body])[],
  problems: string[],
): Module {
  const variables = new Map<string, Block>()
  const locals = new Map<string, { file: string; value: Value }>()
  const outputs = new Map<string, Block>()
  const calls = new Map<string, Block>()
  const typed = { resource: [] as TypedBlock[], data: [] as TypedBlock[], provider: [] as TypedBlock[] }
  const settings: Block[] = []

  function add<Item>(to: Map<string, Item>, name: string, item: Item, file: string, title: string): void {
    if (to.has(name)) problems.push(`${file}: ${title} is declared twice`)
    to.set(name, item)
  }

  function addLabelled(to: Map<string, Block>, file: string, kind: string, labelled: Value): void {
    for (const [name, blocks] of Object.entries(asBody(labelled))) {
      const title = `${kind} ${name}`
      for (const body of asBlocks(blocks)) add(to, name, { file, title, body }, file, title)
    }
  }

  for (const [file, tree] of trees) {
    for (const [kind, content] of Object.entries(tree)) {
      switch (kind) {
        case 'variable':
          addLabelled(variables, file, kind, content)
          break
        case 'output':
          addLabelled(outputs, file, kind, content)
          break
        case 'module':
          addLabelled(calls, file, kind, content)
          break
        case 'locals':
          for (const body of asBlocks(content)) {
            for (const [name, value] of Object.entries(body))
              add(locals, name, { file, value }, file, `local ${name}`)
          }
          break
        case 'resource':
        case 'data':
          for (const block of typedBlocks(file, kind, content)) {
            if (typed[kind].some(other => other.title === block.title))
              problems.push(`${file}: ${block.title} is declared twice`)
            typed[kind].push(block)
          }
          break
        case 'provider':
          for (const [type, blocks] of Object.entries(asBody(content))) {
            for (const body of asBlocks(blocks))
              typed.provider.push({ file, title: `provider ${type}`, body, type, name: type })
          }
          break
        case 'terraform':
          for (const body of asBlocks(content)) settings.push({ file, title: 'terraform', body })
          break
        default:
          problems.push(`${file}: there is no block "${kind}"`)
      }
    }
  }
  const { resource: resources, data, provider: providers } = typed
  return { folder, variables, locals, outputs, calls, resources, data, providers, settings }
}

function typedBlocks(file: string, kind: string, content: Value): TypedBlock[] {
  return Object.entries(asBody(content)).flatMap(([type, named]) =>
    Object.entries(asBody(named)).flatMap(([name, blocks]) =>
      asBlocks(blocks).map(body => ({ file, title: `${kind} ${type}.${name}`, body, type, name })),
    ),
  )
}

export function asBody(value: Value | undefined): Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {}
}

/** The blocks of one name; an argument of that name counts as none. */
export function asBlocks(value: Value | undefined): Body[] {
  return Array.isArray(value) ? value.filter(isBody) : []
}

export function isBody(value: Value | undefined): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every string within, with the name of what holds it; names of map entries are strings too. */
export function* stringsWithin(value: Value): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const item of value) yield* stringsWithin(item)
  else if (isBody(value)) {
    for (const [name, item] of Object.entries(value)) {
      yield name
      yield* stringsWithin(item)
    }
  }
}
