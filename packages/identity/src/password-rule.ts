// Which new passwords may be used: long ones that do not give themselves away (NIST SP 800-63B section 5.1.1).
//
// There are no rules of composition: they make passwords worse. Length is in UTF-16 code units.
import { isCommonPassword } from './common-password.ts'
import { IdentityError } from './error.ts'

export const passwordLengths = { least: 12, most: 1024 } as const

const fewestDistinct = 5
/** A shorter login may well be part of an unrelated word. */
const tellingLogin = 3

/** Throws `IdentityError('weak_password')` with a sentence for the person who chose it. */
export function checkPassword(password: string, login: string): void {
  const { least, most } = passwordLengths
  if (password.length < least) refuse(`needs at least ${least} characters`)
  if (password.length > most) refuse(`has at most ${most} characters`)
  if (!password.isWellFormed()) refuse('must be valid Unicode text')
  const folded = fold(password)
  const name = fold(login)
  if (name.length >= tellingLogin && folded.includes(name)) refuse('must not contain the login')
  if (folded.includes('auricle')) refuse('must not contain the name of this service')
  if (new Set(folded).size < fewestDistinct) refuse(`needs at least ${fewestDistinct} different characters`)
  if (isRun(folded)) refuse('must not be a plain sequence of characters')
  if (isCommonPassword(folded)) {
    refuse('is made of common words, digits and signs only, which are guessed first: add other words')
  }
}

const fold = (text: string) => text.normalize('NFKC').toLowerCase()

/** Whether each character is the successor, or each the predecessor, of the one before: `0123456789ab` is not. */
function isRun(text: string): boolean {
  const steps = new Set<number>()
  for (let i = 1; i < text.length; i++) steps.add(text.charCodeAt(i) - text.charCodeAt(i - 1))
  const [step] = steps
  return steps.size === 1 && step !== undefined && Math.abs(step) === 1
}

function refuse(why: string): never {
  throw new IdentityError('weak_password', `The password ${why}`)
}
