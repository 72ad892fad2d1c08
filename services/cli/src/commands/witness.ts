// `auricle witness`: cosigns the checkpoints of logs that it is told to trust, on a folder and a key of its own. It needs
// neither the database nor the keys of a vault, and is meant to run where its administrators have no say.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuditError, formatVerifierKey, parseVerifierKey, type VerifierKey } from '@auricle/audit'
import { createMetrics, disableCoreDumps, type Logger } from '@auricle/runtime'
import { createWitness } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { fileFailure } from '../file-failure.ts'
import { openKeyFile } from '../witness/key-file.ts'
import { startWitness } from '../witness/server.ts'
import { openStateFolder } from '../witness/state-folder.ts'

export interface WitnessOptions {
  /** Absolute; holds what was cosigned, and the key. */
  readonly folder: string
  /** Null where the key is there already. */
  readonly name: string | null
  /** Verifier keys of logs. */
  readonly logs: readonly string[]
  /** A file with one of them a line, or null. */
  readonly logsFile: string | null
  readonly host: string
  readonly port: number
  readonly shutdownGraceMs: number
  readonly logger: Logger
  readonly print: (text: string) => void
  readonly signal: AbortSignal
}

const keyName = 'witness.key'

/** Listens when it resolves. Throws `UsageError` for what a person has to mend. */
export async function runWitness(options: WitnessOptions): Promise<AsyncDisposable> {
  const { folder, name, host, port, shutdownGraceMs, logger, print, signal } = options
  await disableCoreDumps({ pid: process.pid })
  const logs = await readLogs(options)
  await using opening = new AsyncDisposableStack()
  const store = opening.use(await openStateFolder(folder))
  const key = await openKeyFile({ file: join(folder, keyName), name, random: randomBytes })
  const witness = createWitness({ logs, key, store })
  const metrics = createMetrics()
  const listening = opening.use(
    await startWitness({ witness, host, port, shutdownGraceMs, logger, metrics }, { signal }),
  )
  print(`Witness ${formatVerifierKey(key.key)}`)
  print(`Cosigns ${witness.origins.join(', ')}`)
  print(`Listening on ${listening.url}`)
  return opening.move()
}

async function readLogs({
  logs,
  logsFile,
}: Pick<WitnessOptions, 'logs' | 'logsFile'>): Promise<readonly VerifierKey[]> {
  const texts = [...logs]
  if (logsFile !== null) {
    const file = await readFile(logsFile, 'utf8').catch((error: unknown) => {
      throw fileFailure(error, logsFile)
    })
    texts.push(...file.split('\n').map(line => line.replace(/#.*$/, '').trim()))
  }
  const keys = texts.filter(text => text !== '').map(parseLog)
  if (keys.length === 0)
    throw new UsageError('A witness is told which logs it cosigns: give their verifier keys with --log')
  return keys
}

function parseLog(text: string): VerifierKey {
  try {
    const key = parseVerifierKey(text)
    if (key.algorithm !== 'cosignature-ed25519') return key
    throw new UsageError('The key of a witness is given where that of a log is needed')
  } catch (error) {
    if (error instanceof AuditError)
      throw new UsageError(`A key of a log cannot be used: ${error.message}`, { cause: error })
    throw error
  }
}
