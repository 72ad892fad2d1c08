// Whether a folder is fit to be an object store, for `auricle doctor` and for the log of a start.
import { access, constants, stat } from 'node:fs/promises'
import type { Finding } from '@auricle/contract'
import { hasCode } from './failure.ts'
import { measureFreeSpace } from './free-space.ts'

const name = 'object folder'
const freeBytesLeast = 1_073_741_824
/** Permission bits of anybody but the owner. */
const othersMode = 0o077
const bytesPerMebibyte = 1_048_576

/** Looks and changes nothing, so a folder that the first call would make is only told. */
export async function inspectFolder(folder: string): Promise<readonly Finding[]> {
  try {
    const found = await stat(folder)
    if (!found.isDirectory()) return [unusable(folder)]
    const { mode, uid } = found
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const findings = [await inspectSpace(folder)]
    if ((mode & othersMode) !== 0) {
      const found = `${folder} is open to other users of this machine`
      findings.push({ name, state: 'warn', found, mend: `chmod 700 ${folder}` })
    }
    const own = process.getuid?.()
    if (own !== undefined && own !== 0 && uid !== own) {
      const found = `${folder} belongs to another user, who can remove what is kept in it`
      findings.push({ name, state: 'warn', found, mend: `chown -R ${own} ${folder}` })
    }
    return findings
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return [{ name, state: 'warn', found: `${folder} does not exist`, mend: 'the first start makes it' }]
    }
    return [unusable(folder)]
  }
}

const unusable = (folder: string): Finding => ({
  name,
  state: 'bad',
  found: `${folder} is no folder that can be read and written`,
  mend: `make it one that belongs to the user that runs this, with mode 700`,
})

async function inspectSpace(folder: string): Promise<Finding> {
  const { freeBytes, freeFiles } = await measureFreeSpace(folder)
  const found = `${folder}, ${Math.floor(freeBytes / bytesPerMebibyte).toLocaleString('en')} MiB free`
  if (freeFiles === 0) {
    return {
      name,
      state: 'warn',
      found: `${found}, and no file can be made`,
      mend: 'remove files or enlarge it',
    }
  }
  if (freeBytes >= freeBytesLeast) return { name, state: 'ok', found, mend: null }
  return { name, state: 'warn', found, mend: 'make room: deliveries are refused when it is full' }
}
