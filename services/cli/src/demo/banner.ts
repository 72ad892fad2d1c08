// What `auricle start` shows when everything runs.
import type { Config } from '@auricle/runtime'
import type { Access } from './demo.ts'
import { sampleFile } from './samples.ts'

export interface BannerFacts {
  readonly urls: { readonly ingest: string; readonly api: string }
  readonly access: Access | null
  readonly config: Pick<Config, 'dataFolder' | 'objects' | 'recovery' | 'keys' | 'queue'>
  readonly hasAudioTool: boolean
}

export function banner({ urls, access, config, hasAudioTool }: BannerFacts): string {
  const lines = [
    '',
    'Auricle runs.',
    `  API       ${urls.api}, described at ${urls.api}/v1/openapi.json`,
    `  deliver   ${urls.ingest}`,
    `  data      ${config.dataFolder}`,
    ...elsewhere(config),
    ...(hasAudioTool
      ? []
      : ['  no ffmpeg: recordings are kept and played as delivered (apt-get install ffmpeg)']),
    ...(access === null ? [] : accessLines(urls, access)),
    '',
    access === null
      ? 'Ctrl-C stops it. `npm run auricle -- help` shows the command; a lost sign-in is replaced with `user` and `token`.'
      : 'Keep these: they are not shown again. Ctrl-C stops it; the next start finds everything as it is now.',
    '',
  ]
  return lines.join('\n')
}

/** What does not lie in the data folder, or goes to a second place. */
function elsewhere({ objects, recovery, keys, queue }: BannerFacts['config']): readonly string[] {
  const address = (place: Config['objects']) =>
    place.kind === 'folder' ? place.folder : `gs://${[place.bucket, place.prefix].filter(Boolean).join('/')}`
  return [
    ...(objects.kind === 'bucket' ? [`  objects   ${address(objects)}`] : []),
    ...(recovery === null ? [] : [`  copies    ${address(recovery)}`]),
    ...(keys.kind === 'gcp-kms' ? [`  keys      ${keys.keyRing}`] : []),
    ...(queue.kind === 'redis' ? ['  queue     in Redis'] : []),
  ]
}

function accessLines(
  urls: BannerFacts['urls'],
  { people, upload, token, recording }: Access,
): readonly string[] {
  const tenant = people[0]?.tenant ?? ''
  return [
    '',
    `Sign in to tenant "${tenant}" (password, then a code from an authenticator app with the key):`,
    ...people.map(
      ({ login, password, totpSecret }) => `  ${login.padEnd(10)} ${password ?? ''}   key ${totpSecret}`,
    ),
    `  without an app: npm run --silent auricle -- code KEY`,
    '',
    'Deliver one more recording:',
    `  curl -T '${sampleFile('voicemail-instructions.wav')}' -H 'Authorization: Bearer ${upload.token}' \\`,
    `    ${upload.url}/one-more.wav`,
    '',
    'List what the clinician may hear, and play one back:',
    `  export TOKEN=${token}`,
    `  curl -H "Authorization: Bearer $TOKEN" '${urls.api}/v1/recordings'`,
    `  curl -H "Authorization: Bearer $TOKEN" -o playback.mp3 '${urls.api}/v1/recordings/${recording ?? 'ID'}/audio'`,
  ]
}
