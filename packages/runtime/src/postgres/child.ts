// How PostgreSQL's programs are started: as their own user, without our environment, without core files.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Account } from './account.ts'

/**
 * Core files would hold what is in memory, so they are off for the program and all that it starts: by size, and by
 * leaving all memory out (core(5), coredump_filter) where dumps go to a collector, which ignores the size.
 */
const withoutCoreFiles =
  'ulimit -c 0; if [ -w /proc/self/coredump_filter ]; then echo 0 >/proc/self/coredump_filter; fi; exec "$0" "$@"'

const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** Last part of a program's output that is kept to explain its failure. */
const maxOutputCharacters = 8192

export interface Program {
  readonly file: string
  readonly arguments: readonly string[]
  readonly account: Account | null
  /** Whether terminal signals (Ctrl-C) pass it by: we stop it ourselves, last. */
  readonly detached: boolean
  readonly stdin: 'ignore' | 'pipe'
}

export function startProgram(program: Program): ChildProcess {
  const { account } = program
  return spawn('/bin/sh', ['-c', withoutCoreFiles, program.file, ...program.arguments], {
    cwd: '/',
    env: environment,
    detached: program.detached,
    stdio: [program.stdin, 'ignore', 'pipe'],
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  })
}

/** Collects the end of what a program says on its error stream. */
export function collectErrors(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-maxOutputCharacters)
  })
  return () => text.trim()
}

/** Runs a program to its end, with `input` on its standard input; returns its exit code and what it said. */
export async function runProgram(
  program: Omit<Program, 'stdin' | 'detached'>,
  input: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly code: number | null; readonly errors: string }> {
  signal?.throwIfAborted()
  const child = startProgram({ ...program, stdin: 'pipe', detached: false })
  const errors = collectErrors(child)
  const stop = (): void => {
    child.kill('SIGKILL')
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    // A program that ends early closes its input; its exit code tells what happened.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    const [code] = await once(child, 'close')
    signal?.throwIfAborted()
    return { code: typeof code === 'number' ? code : null, errors: errors() }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
