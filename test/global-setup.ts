// For `node --test --test-global-setup=test/global-setup.ts`: one PostgreSQL for all test files of the run.
import { settingsVariable, startSharedPostgres } from './shared-postgres.ts'

let shared: AsyncDisposable | null = null

export async function globalSetup(): Promise<void> {
  const { owner, app, monitor, superuser, [Symbol.asyncDispose]: dispose } = await startSharedPostgres()
  shared = { [Symbol.asyncDispose]: dispose }
  // Test processes inherit the environment of this one.
  process.env[settingsVariable] = JSON.stringify({ owner, app, monitor, superuser })
}

export async function globalTeardown(): Promise<void> {
  await shared?.[Symbol.asyncDispose]()
}
