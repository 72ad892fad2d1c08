// The `auricle` command as a child process, on a data folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../services/cli/src/main.ts', import.meta.url))

export interface Ran {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves with all output so far once it holds `text`; rejects where the process ends without it. */
  said(text: string): Promise<string>
  readonly ended: Promise<Ran>
}

export interface CommandFolder extends AsyncDisposable {
  readonly folder: string
  readonly dataFolder: string
  start(args: readonly string[], options?: RunOptions): Running
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Disposing ends what still runs and removes everything. */
export async function openCommandFolder(): Promise<CommandFolder> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'auricle-command-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const dataFolder = join(folder, 'data')
  const children = new Set<ChildProcess>()
  opening.defer(async () => {
    for (const child of children) {
      child.kill('SIGTERM')
      await once(child, 'close')
    }
  })
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    NODE_COMPILE_CACHE: join(tmpdir(), 'auricle-test-compile-cache'),
    AURICLE_DATA: dataFolder,
    AURICLE_INGEST_PORT: '0',
    AURICLE_API_PORT: '0',
  }

  const start: CommandFolder['start'] = (args, options = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...env, ...options.env },
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    children.add(child)
    const stdout: Buffer[] = []
    let all = ''
    let stderr = ''
    let news = Promise.withResolvers<void>()
    const heard = (piece: Buffer) => {
      all += piece.toString()
      news.resolve()
      news = Promise.withResolvers<void>()
    }
    child.stdout.on('data', (piece: Buffer) => {
      stdout.push(piece)
      heard(piece)
    })
    child.stderr.on('data', (piece: Buffer) => {
      stderr += piece.toString()
      heard(piece)
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    let isOver = false
    const ended = once(child, 'close').then(([code]: (number | null)[]): Ran => {
      isOver = true
      children.delete(child)
      news.resolve()
      return { code: code ?? null, stdout: Buffer.concat(stdout), stderr }
    })
    return {
      child,
      ended,
      async said(text) {
        while (!all.includes(text)) {
          if (isOver) throw new Error(`it ended without saying ${text}:\n${all}`)
          await news.promise
        }
        return all
      },
    }
  }
  const opened = opening.move()
  return {
    folder,
    dataFolder,
    start,
    run: (args, options) => start(args, options).ended,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
