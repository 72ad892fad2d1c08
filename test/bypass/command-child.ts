// The `auricle` command, again and again in one process: told what to be called with, it tells how it ended.
import { createProgram } from '@auricle/cli-service'

interface Order {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

process.on('message', async ({ args, env }: Order) => {
  process.exitCode = 0
  let message = ''
  try {
    const signal = new AbortController().signal
    await createProgram({ env, process, signal }).parseAsync([...args], { from: 'user' })
  } catch (error) {
    const { name, code, message: said } = error as { name?: string; code?: string; message?: string }
    message = code ?? (name === 'UsageError' ? (said ?? '') : (name ?? String(error)))
    process.exitCode = 1
  }
  const exitCode = Number(process.exitCode)
  process.exitCode = 0
  process.send?.({ exitCode, message })
})
process.on('disconnect', () => process.exit(0))
