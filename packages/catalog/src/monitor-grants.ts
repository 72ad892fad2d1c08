// What the role of the monitor may see, given by the owner of the schema after the migrations.
import { readFile } from 'node:fs/promises'
import pg from 'pg'

const grantsFile = new URL('../grants/monitor.sql', import.meta.url)

/** Where there is no such role, nothing happens. Safe to run again. */
export async function grantMonitor(client: Pick<pg.ClientBase, 'query'>, role: string): Promise<void> {
  const sql = await readFile(grantsFile, 'utf8')
  await client.query(sql.replaceAll(":'monitor_role'", pg.escapeLiteral(role)))
}
