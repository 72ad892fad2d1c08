// `auricle ingest`: hands a file over as a connector would, through the same use case.
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { sniffAudio, sniffBytes } from '@auricle/audio'
import { ConnectorId, type Notice, RecordingKind } from '@auricle/contract'
import { createConnectors, receive, VaultError } from '@auricle/vault'
import { UsageError } from '../error.ts'
import { fileFailure } from '../file-failure.ts'
import type { Operator } from '../operator.ts'
import type { Output } from '../output.ts'

export interface FileToIngest {
  readonly file: string
  readonly connector: string
  readonly sourceId: string | undefined
  readonly kind: string
  readonly mailbox: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
}

export async function ingestFile(operator: Operator, output: Output, asked: FileToIngest): Promise<void> {
  const id = ConnectorId.safeParse(asked.connector)
  const connector = id.success
    ? await createConnectors(operator.catalog, operator.keys).find(id.data, operator)
    : null
  if (connector === null) throw new UsageError(`There is no connector "${asked.connector}"`)
  const file = await stat(asked.file).catch((error: unknown) => {
    throw fileFailure(error, asked.file)
  })
  if (!file.isFile()) throw new UsageError(`${asked.file} is not a file`)
  const notice: Notice = {
    sourceId: asked.sourceId ?? basename(asked.file),
    kind: RecordingKind.parse(asked.kind),
    mailbox: asked.mailbox ?? null,
    direction: null,
    from: asked.from ?? null,
    fromName: null,
    to: asked.to ?? null,
    patientReference: null,
    note: null,
    startedAt: file.mtime.toISOString(),
    contentType: null,
    fileName: basename(asked.file),
    declaredBytes: file.size,
    declaredSha256: null,
    audioUrl: null,
  }
  const delivery = {
    type: 'audio' as const,
    sourceId: notice.sourceId,
    audio: createReadStream(asked.file, { highWaterMark: 256 * 1024 }),
    notice: () => notice,
  }
  const parts = { ...operator, sniff: sniffAudio, sniffBytes }
  const { receipt, duplicate } = await receive(parts, connector, delivery, {
    ...operator,
    request: randomUUID(),
  }).catch((error: unknown) => {
    throw error instanceof VaultError
      ? new UsageError(error.message, { cause: error })
      : fileFailure(error, asked.file)
  })
  const sentence = duplicate
    ? `${asked.file} was delivered before, as ${receipt.recording}`
    : `Received ${asked.file} as ${receipt.recording}`
  output.value({ ...receipt, duplicate }, sentence)
}
