// Recordings as the worker leaves them, for tests of what comes after.
import { createAudioTool } from '@auricle/audio'
import type { Notice, RecordingId } from '@auricle/contract'
import { type ArchiveParts, archive, receive } from '@auricle/vault'
import { type Clinic, deliveryOf, noticeOf, type TestVault } from './vault.ts'

function archiveParts(vault: TestVault): ArchiveParts {
  return {
    ...vault,
    audio: createAudioTool(),
    fetchAudio: () => Promise.reject(new Error('nothing is fetched in this test')),
  }
}

/** Receives and archives audio for the mailbox of the clinic. */
export async function archiveAudio(
  vault: TestVault,
  clinic: Clinic,
  audio: Uint8Array,
  { sourceId, ...facts }: Partial<Notice> & Pick<Notice, 'sourceId'>,
  change: Partial<Pick<ArchiveParts, 'audio'>> = {},
): Promise<RecordingId> {
  const notice = noticeOf(sourceId, facts)
  const { receipt } = await receive(vault, clinic.connector, deliveryOf(audio, notice), { request: 'a-test' })
  const { tenantId, id } = clinic.connectorRow
  const intake = await vault.catalog.findIntakeBySource(tenantId, id, clinic.connector.sourceKey(sourceId))
  if (intake === null) throw new Error('the intake just received is not there')
  await archive({ ...archiveParts(vault), ...change }, tenantId, intake.id, {})
  return receipt.recording
}
