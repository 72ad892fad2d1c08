// Who may import whom, and what a source file may not do: the rules of the tree, as functions of text.
import { posix } from 'node:path'

interface Reach {
  /** Packages of ours it may use in full. */
  readonly values: readonly string[]
  /** Packages of ours it may know by `import type` alone. */
  readonly types?: readonly string[]
  /** Node's own modules, without `node:`; absent where all are open to it. */
  readonly builtins?: readonly string[]
}

const core = ['sealed', 'audit', 'retention']
const edges = [
  'pbx',
  'jobs',
  'limits',
  'audio',
  'keys',
  'objects',
  'catalog',
  'identity',
  'documents',
  'mail',
]
const edge: Reach = { values: ['contract'], types: core }
const service: Reach = { values: ['runtime', 'vault', ...edges, ...core, 'contract'] }

/** Down only, never sideways, never up. What runs in a browser has no builtins. */
export const rooms: Readonly<Record<string, Reach>> = {
  contract: { values: [], builtins: [] },
  sealed: { values: ['contract'], builtins: ['crypto', 'buffer'] },
  audit: { values: ['contract'], builtins: [] },
  retention: { values: ['contract'], builtins: [] },
  pbx: edge,
  jobs: edge,
  limits: edge,
  audio: edge,
  keys: edge,
  objects: edge,
  catalog: edge,
  identity: edge,
  // Makes files for people out of what they are given.
  documents: edge,
  mail: edge,
  vault: { values: [...core, 'contract'], types: edges },
  // Builds the adapters that configuration chooses, for every service alike.
  runtime: { values: ['catalog', 'jobs', 'limits', 'keys', 'mail', 'objects', 'contract'] },
  'ingest-service': service,
  'worker-service': service,
  'api-service': service,
  // `auricle start` runs the three in one process.
  'cli-service': { values: [...service.values, 'ingest-service', 'worker-service', 'api-service'] },
}

export interface Manifest {
  readonly name: string
  /** Everything it may import at run time: dependencies, also optional ones. */
  readonly dependencies: readonly string[]
}

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  /** The folder of its package, likewise. */
  readonly folder: string
  readonly manifest: Manifest
  readonly text: string
  /** Development dependencies of the root, open to tests. */
  readonly testDependencies: readonly string[]
}

const vaultFolder = 'packages/vault'
/** Where events become durable, and the proof of it is made. */
const logFolder = `${vaultFolder}/src/log/`
/** A value import of the class, or a use of it as one. */
const makesEvents =
  /\b(?:new|extends)\s+DurableEvent\b|Reflect\.construct\(\s*DurableEvent\b|^\s*import\s*\{(?:[^}]*,)?\s*DurableEvent\b/m

/** What of a key service opens nothing. */
const keyServicePart =
  /\btype \{[^}]*\} from '@auricle\/keys'|Pick<KeyService, (?:'(?:ensure|rotate|mac|signer|inspect)'(?: \| )?)+>/g

const scope = '@auricle/'

/** What a package.json names beyond its reach, as sentences. */
export function judgeManifest({ name, dependencies }: Manifest): string[] {
  const reach = rooms[name.slice(scope.length)]
  if (reach === undefined) return [`${name} has no row in the table of test/boundaries.ts`]
  const allowed = [...reach.values, ...(reach.types ?? [])]
  return dependencies
    .filter(dependency => dependency.startsWith(scope) && !allowed.includes(dependency.slice(scope.length)))
    .map(dependency => `${name} may not depend on ${dependency}`)
}

/** What a source file does that it may not, as sentences. Test files may also import from `test/`. */
export function judgeSource(file: SourceFile): string[] {
  const code = withoutComments(file.text)
  const isTest = file.path.endsWith('.test.ts')
  const isMain = posix.basename(file.path) === 'main.ts'
  const wrong = importsOf(code).flatMap(found => judgeImport(found, file, isTest) ?? [])
  if (/^\s*export\s+\*/m.test(code)) wrong.push('exports names it does not list (export *)')
  if (/^\s*@[A-Za-z_$]/m.test(code)) wrong.push('uses a decorator, which type stripping cannot run')
  if (!isTest && !isMain && /\bprocess\s*(\.|\?\.)\s*(env|exit|on|once)\b|\bprocess\[/.test(code)) {
    wrong.push('reads the environment or handles the process itself, which is for main.ts')
  }
  if (!file.path.startsWith(logFolder) && makesEvents.test(code)) {
    wrong.push('makes a DurableEvent, or could: only the log knows what is durable')
  }
  if (!isTest && file.folder === vaultFolder && /\bKeyService\b/.test(code.replaceAll(keyServicePart, ''))) {
    wrong.push('takes a KeyService, whose recordings keys open without an event: VaultKeys is for use cases')
  }
  return wrong.map(sentence => `${file.path} ${sentence}`)
}

interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
}

function importsOf(code: string): Import[] {
  const statements = code.matchAll(
    /^\s*(import|export)\b(\s+type\b(?!\s*,))?(?:[^'";]*?\bfrom)?\s*['"]([^'"]+)['"]/gm,
  )
  const calls = code.matchAll(/\bimport\(\s*['"`]([^'"`$]+)['"`]/g)
  return [
    ...Array.from(statements, ([, , type, specifier = '']) => ({
      specifier,
      isTypeOnly: type !== undefined,
    })),
    ...Array.from(calls, ([, specifier = '']) => ({ specifier, isTypeOnly: false })),
  ]
}

function judgeImport({ specifier, isTypeOnly }: Import, file: SourceFile, isTest: boolean): string | null {
  if (specifier.startsWith('.')) return judgeRelative(specifier, file, isTest)
  if (specifier.startsWith('node:')) return judgeBuiltin(specifier, file, isTest)
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (isTest && (file.testDependencies.includes(name) || name === file.manifest.name)) return null
  if (!file.manifest.dependencies.includes(name))
    return `imports ${name}, which its package.json does not name`
  if (!name.startsWith(scope)) return null
  const reach = rooms[file.manifest.name.slice(scope.length)]
  const room = name.slice(scope.length)
  if (reach?.values.includes(room)) return null
  // A test puts real parts together, where the code under test takes them as arguments.
  if (reach?.types?.includes(room))
    return isTypeOnly || isTest ? null : `may import ${name} by \`import type\` alone`
  return `may not import ${name}`
}

function judgeRelative(specifier: string, file: SourceFile, isTest: boolean): string | null {
  if (!/\.(ts|tsx|json)$/.test(specifier)) return `imports ${specifier}, which must end in .ts`
  const target = posix.join(posix.dirname(file.path), specifier)
  if (target.startsWith(`${file.folder}/`)) return null
  return isTest && target.startsWith('test/') ? null : `imports ${specifier}, outside its package`
}

function judgeBuiltin(specifier: string, file: SourceFile, isTest: boolean): string | null {
  if (isTest) return null
  if (specifier === 'node:process' && posix.basename(file.path) !== 'main.ts') {
    return 'imports node:process, which is for main.ts'
  }
  const builtins = rooms[file.manifest.name.slice(scope.length)]?.builtins
  const name = specifier.slice('node:'.length)
  return builtins === undefined || builtins.includes(name)
    ? null
    : `imports ${specifier}, which is not open to it`
}

/** Comments that begin their line; others share it with code that must hold anyway. */
function withoutComments(text: string): string {
  return text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, '').replace(/^[ \t]*\/\/.*$/gm, '')
}
