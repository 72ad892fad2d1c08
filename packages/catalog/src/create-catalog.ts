// The catalog on PostgreSQL: the contract of catalog.ts, put together from its parts.
import type { RecordStamper } from '@auricle/audit'
import type pg from 'pg'
import { createActivityReviews } from './activity-reviews.ts'
import { createAlerts } from './alerts.ts'
import { createAnchorStore } from './anchor-store.ts'
import { createAttempts } from './attempts.ts'
import { createAuditSearch } from './audit-search.ts'
import { createBreakGlass } from './break-glass.ts'
import type { Catalog } from './catalog.ts'
import { createCertificates } from './certificates.ts'
import { deriveColumnKeys } from './column-keys.ts'
import { createConnectorChanges } from './connector-changes.ts'
import { createConnectors } from './connectors.ts'
import { createCover } from './cover.ts'
import { createDatabase } from './database.ts'
import { createDestructions } from './destructions.ts'
import { createDirectory } from './directory.ts'
import { createDisclosures } from './disclosures.ts'
import { createDispositions } from './dispositions.ts'
import { createDrift } from './drift.ts'
import { createEmergencyCodes } from './emergency-codes.ts'
import { createLog } from './events.ts'
import { createFactors } from './factors.ts'
import { createFirstFacts } from './first-facts.ts'
import { createGrants } from './grants.ts'
import { createHolds } from './holds.ts'
import { createIntakes } from './intakes.ts'
import { createInvitations } from './invitations.ts'
import { createIssuers } from './issuers.ts'
import { createLogCustody } from './log-custody.ts'
import { createLogReading } from './log-reading.ts'
import { createLogStore } from './log-store.ts'
import { createMailboxes } from './mailboxes.ts'
import { createOutbox } from './outbox.ts'
import { createOwnTokens } from './own-tokens.ts'
import { createPasskeyCatalog } from './passkeys.ts'
import { createPatients } from './patients.ts'
import { createPeople } from './people.ts'
import { createProviderSignIn } from './provider-sign-in.ts'
import { createProviders } from './providers.ts'
import { createRecordSet } from './record-set.ts'
import { createRecordings } from './recordings.ts'
import { createRecoveryCodes } from './recovery-codes.ts'
import { createReplication } from './replication.ts'
import { createReportSchedules } from './report-schedules.ts'
import { createRetentionDecisions } from './retention-decisions.ts'
import { createRetentionEvents } from './retention-events.ts'
import { createRetentionFacts } from './retention-facts.ts'
import { createRetentionPages } from './retention-pages.ts'
import { createRetentionReport } from './retention-report.ts'
import { createRetentionRules } from './retention-rules.ts'
import { createRetentionSettings } from './retention-settings.ts'
import { createRetentionStanding } from './retention-standing.ts'
import { createRoleRequests } from './role-requests.ts'
import { createSchemaCheck } from './schema-check.ts'
import { createServiceAccounts } from './service-accounts.ts'
import { createSessions } from './sessions.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createStoreWork } from './store-work.ts'
import { createTeams } from './teams.ts'
import { createTenantLimits } from './tenant-limits.ts'
import { createTokens } from './tokens.ts'
import { createUsers } from './users.ts'

export interface CatalogOptions {
  /** Made by `createPool`, connected as the role of the services; stays the caller's to end. */
  readonly pool: pg.Pool
  /** Numbers every event that is written here. */
  readonly stamper: RecordStamper
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
}

export function createCatalog({ pool, stamper, now = () => new Date() }: CatalogOptions): Catalog {
  const database = createDatabase(pool, stamper)
  return {
    ...createDirectory(database),
    ...createSigningKeys(database),
    ...createUsers(database, now),
    ...createTokens(database, now),
    ...createPeople(database, now),
    ...createRoleRequests(database),
    ...createGrants(database),
    ...createTeams(database),
    ...createCover(database),
    ...createPasskeyCatalog(database, now),
    ...createRecoveryCodes(database),
    ...createFactors(database),
    ...createInvitations(database, now),
    ...createOwnTokens(database, now),
    ...createAttempts(database),
    ...createProviders(database),
    ...createProviderSignIn(database),
    ...createIssuers(database),
    ...createSessions(database),
    ...createMailboxes(database),
    ...createConnectors(database),
    ...createConnectorChanges(database),
    ...createServiceAccounts(database, now),
    ...createTenantLimits(database),
    ...createStoreWork(database, now),
    ...createDrift(database),
    ...createIntakes(database, stamper, now),
    ...createOutbox(database, now),
    ...createRecordings(database, now),
    ...createPatients(database, now),
    ...createRetentionDecisions(database),
    ...createRetentionPages(database),
    ...createRetentionStanding(database),
    ...createFirstFacts(database),
    ...createReplication(database, now),
    ...createAuditSearch(database),
    ...createDisclosures(database),
    ...createHolds(database),
    ...createRetentionSettings(database),
    ...createRetentionRules(database),
    ...createRetentionFacts(database),
    ...createRetentionEvents(database),
    ...createRecordSet(database),
    ...createLog(database, stamper),
    ...createLogStore(database),
    ...createLogReading(database),
    ...createAnchorStore(database),
    ...createLogCustody(database, pool),
    ...createAlerts(database),
    ...createActivityReviews(database),
    ...createDispositions(database),
    ...createDestructions(database),
    ...createBreakGlass(database),
    ...createCertificates(database),
    ...createEmergencyCodes(database),
    ...createReportSchedules(database),
    ...createRetentionReport(database),
    ...createSchemaCheck(database),
    columnKeys: deriveColumnKeys,
  }
}
