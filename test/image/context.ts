// What a container image is built from: the files that .dockerignore lets through and the Containerfile copies.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export interface Copying {
  readonly sources: readonly string[]
  readonly target: string
}

interface Pattern {
  readonly matches: RegExp
  readonly isException: boolean
}

/** Never looked into: too large, and no exception can be meant. */
const skipped = new Set(['.git', 'node_modules'])

/**
 * Whether .dockerignore lets a file through, as its documentation says: the last pattern that matches the file or a
 * folder above it decides. Paths are relative, with forward slashes.
 */
export function readIgnore(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(toPattern)
  return path => {
    const parts = path.split('/')
    const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
    const last = patterns.findLast(({ matches }) => paths.some(candidate => matches.test(candidate)))
    return last === undefined || last.isException
  }
}

function toPattern(line: string): Pattern {
  const isException = line.startsWith('!')
  const glob = line.slice(isException ? 1 : 0).replace(/^\/|\/$/g, '')
  const expression = glob.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, token => {
    switch (token) {
      case '**/':
        return '(?:.*/)?'
      case '**':
        return '.*'
      case '*':
        return '[^/]*'
      case '?':
        return '[^/]'
      default:
        return `\\${token}`
    }
  })
  return { matches: new RegExp(`^${expression}$`), isException }
}

/** The COPY instructions from the context, in order; those from another stage are no part of it. */
export function readCopies(containerfile: string): readonly Copying[] {
  return Array.from(containerfile.matchAll(/^COPY (?!--from)(.+)$/gm), ([, line = '']) => {
    const words = line.trim().split(/\s+/)
    return { sources: words.slice(0, -1), target: words.at(-1) ?? '.' }
  })
}

/** Does to `target` what the COPY instructions do to the work folder of the image. Returns the files, sorted. */
export function copyContext(
  root: string,
  target: string,
  { ignore, containerfile }: { readonly ignore: string; readonly containerfile: string },
): readonly string[] {
  const isLetThrough = readIgnore(ignore)
  const files = [...walk(root, '')].filter(isLetThrough)
  const copied = new Set<string>()
  for (const copying of readCopies(containerfile)) {
    for (const source of copying.sources) {
      const from = files.filter(file => file === source || file.startsWith(`${source}/`))
      if (from.length === 0) throw new Error(`COPY ${source}: .dockerignore lets nothing of it through`)
      for (const file of from) {
        // A file goes into the folder; of a folder goes what lies in it.
        const within = file === source ? posix.basename(file) : file.slice(source.length + 1)
        const path = posix.normalize(posix.join(copying.target, within))
        mkdirSync(dirname(join(target, path)), { recursive: true })
        copyFileSync(join(root, file), join(target, path))
        copied.add(path)
      }
    }
  }
  return [...copied].sort()
}

function* walk(root: string, folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory() && !skipped.has(entry.name)) yield* walk(root, path)
    else if (entry.isFile()) yield path
  }
}
