// What an operator should know of a keyring: whether it opens, what protects it, whether there is a copy to go back to.
import type { Finding } from '@auricle/contract'
import { KeyError } from './error.ts'
import type { Keyring } from './keyring.ts'
import { hasPrevious } from './keyring-file.ts'

/** `open` reads the file if it is another than before. */
export async function inspectKeyring(
  path: string,
  open: () => Promise<Keyring>,
): Promise<readonly Finding[]> {
  const opened = await attempt(open)
  return [keyringFinding(path, opened), copyFinding(path, await attempt(() => hasPrevious(path)), opened)]
}

function keyringFinding(path: string, opened: Keyring | KeyError): Finding {
  const name = 'keyring'
  if (opened instanceof KeyError)
    return { name, state: 'bad', found: opened.message, mend: mendOf(path, opened) }
  const protectedBy = opened.guard.protection.kind === 'none' ? 'without a passphrase' : 'with a passphrase'
  const found = `${opened.keys.size} keys, ${protectedBy}, for its owner alone`
  return { name, state: 'ok', found, mend: null }
}

function copyFinding(path: string, previous: boolean | KeyError, opened: Keyring | KeyError): Finding {
  const name = 'keyring copy'
  if (previous instanceof KeyError) {
    return {
      name,
      state: 'warn',
      found: `The copy before: ${previous.message}`,
      mend: `chmod 600 ${path}.previous`,
    }
  }
  if (previous) return { name, state: 'ok', found: 'the content before the last change is kept', mend: null }
  const hasKeys = !(opened instanceof KeyError) && opened.keys.size > 0
  if (!hasKeys) return { name, state: 'ok', found: 'none yet: nothing has changed so far', mend: null }
  const found = 'The content before the last change is gone'
  return { name, state: 'warn', found, mend: 'Back the keyring up; the next change makes the copy again' }
}

function mendOf(path: string, { code }: KeyError): string {
  if (code === 'unsafe_file') return `chown it to the user that runs Auricle, then chmod 600 ${path}`
  if (code === 'bad_passphrase') return 'Give the passphrase that the keyring was made with'
  return `Restore ${path} from its backup or from ${path}.previous; never replace it by a new one`
}

async function attempt<T>(look: () => Promise<T>): Promise<T | KeyError> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof KeyError) return error
    throw error
  }
}
