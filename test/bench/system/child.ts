// A Node process of the benchmark's own, spoken to by messages and stopped by its pid.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Sends a message and gives the next one that comes back. One at a time. */
  ask<Answer>(message: object): Promise<Answer>
}

/** Resolves with the child and the first thing it said, once it has said it. */
export async function startChild<Hello>(
  main: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly child: Child; readonly hello: Hello }> {
  const started = fork(main, [...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const hello = await nextMessage<Hello>(started)
  const { pid } = started
  if (pid === undefined) throw new Error(`${main} has no pid`)
  return {
    hello,
    child: {
      pid,
      ask(message) {
        started.send(message)
        return nextMessage(started)
      },
      async [Symbol.asyncDispose]() {
        if (started.exitCode !== null || started.signalCode !== null) return
        const exited = once(started, 'exit')
        started.kill('SIGTERM')
        await exited
      },
    },
  }
}

/** Errors inside the child arrive as `{ failure }`. */
async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const ended = new AbortController()
  const { signal } = ended
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A process of the benchmark ended with ${code}`)
      }),
    ])
    if (typeof message === 'object' && message !== null && 'failure' in message) {
      throw new Error(`A process of the benchmark failed: ${message.failure}`)
    }
    return message
  } finally {
    ended.abort()
  }
}

/** The child's side: says hello, then answers one message after the other until it is stopped. */
export function serveParent<Question>(
  hello: unknown,
  answer: (question: Question) => Promise<unknown>,
): void {
  const parent = process
  if (parent.send === undefined) throw new Error('This program is started by the benchmark')
  parent.on('message', (question: Question) => {
    answer(question)
      .then(message => parent.send?.(message))
      .catch((error: unknown) =>
        parent.send?.({ failure: error instanceof Error ? error.stack : String(error) }),
      )
  })
  parent.on('disconnect', () => parent.exit())
  parent.on('SIGTERM', () => parent.exit())
  parent.send(hello)
}
