// One statement on a connection of its own, for tests that look at a server from outside.
import pg from 'pg'

export async function runSql(
  settings: {
    readonly host: string
    readonly port: number
    readonly database: string
    readonly user: string
    readonly password: string
  },
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client(settings)
  // A server that is killed meanwhile is the statement's error, not the process's.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text, [...values])).rows
  } finally {
    await client.end()
  }
}
