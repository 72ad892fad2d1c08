// What somebody is told whose session has begun, however they signed in.
import type { TokenRow, UserRow } from '@auricle/catalog'
import type { Session } from '@auricle/contract'
import type { IssueToken } from '../token.ts'

export async function sessionAnswer(
  { issueToken }: { readonly issueToken: IssueToken },
  token: TokenRow,
  { id, login, name }: Pick<UserRow, 'id' | 'login' | 'name'>,
): Promise<Session> {
  return {
    token: await issueToken(token),
    tokenType: 'Bearer',
    expiresAt: token.expiresAt.toISOString(),
    user: { id, login, name },
  }
}
