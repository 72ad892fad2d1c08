// What each operation does, put together from the themes: one for every operation, or the service does not compile.
import type { Handler } from './route.ts'
import { type ActivityReviewRouteParts, createActivityReviewHandlers } from './routes/activity-reviews.ts'
import { type AlertRouteParts, createAlertHandlers } from './routes/alerts.ts'
import { type AuditRouteParts, createAuditHandlers } from './routes/audit.ts'
import { type BreakGlassRouteParts, createBreakGlassHandlers } from './routes/break-glass.ts'
import { type CertificateRouteParts, createCertificateHandlers } from './routes/certificates.ts'
import { type ConnectorRouteParts, createConnectorHandlers } from './routes/connectors.ts'
import { type CoverRouteParts, createCoverHandlers } from './routes/cover.ts'
import { createDisclosureHandlers, type DisclosureRouteParts } from './routes/disclosures.ts'
import { createDispositionHandlers, type DispositionRouteParts } from './routes/dispositions.ts'
import { createDocumentHandlers } from './routes/document.ts'
import { createDriftRunHandlers, type DriftRunRouteParts } from './routes/drift-runs.ts'
import { createEmergencyCodeHandlers, type EmergencyCodeRouteParts } from './routes/emergency-codes.ts'
import { createEvidenceHandlers, type EvidenceRouteParts } from './routes/evidence.ts'
import { createHoldHandlers, type HoldRouteParts } from './routes/holds.ts'
import {
  createIdentityProviderHandlers,
  type IdentityProviderRouteParts,
} from './routes/identity-providers.ts'
import { createInvitationHandlers, type InvitationRouteParts } from './routes/invitations.ts'
import { createOwnFactorHandlers, type OwnFactorRouteParts } from './routes/own-factors.ts'
import { createOwnSessionHandlers, type OwnSessionRouteParts } from './routes/own-sessions.ts'
import { createOwnTokenHandlers, type OwnTokenRouteParts } from './routes/own-tokens.ts'
import { createPasskeySessionHandlers, type PasskeySessionRouteParts } from './routes/passkey-sessions.ts'
import { createPeopleHandlers, type PeopleRouteParts } from './routes/people.ts'
import { createProviderHandlers, type ProviderRouteParts } from './routes/providers.ts'
import { createRecordingHandlers, type RecordingRouteParts } from './routes/recordings.ts'
import { createReportScheduleHandlers, type ReportScheduleRouteParts } from './routes/report-schedules.ts'
import { createReportHandlers, type ReportRouteParts } from './routes/reports.ts'
import {
  createRetentionDecisionHandlers,
  type RetentionDecisionRouteParts,
} from './routes/retention-decisions.ts'
import { createRetentionFactHandlers, type RetentionFactRouteParts } from './routes/retention-facts.ts'
import { createRetentionReportHandlers, type RetentionReportRouteParts } from './routes/retention-reports.ts'
import { createRetentionRuleHandlers, type RetentionRuleRouteParts } from './routes/retention-rules.ts'
import { createRoleHandlers, type RoleRouteParts } from './routes/roles.ts'
import { createServiceAccountHandlers, type ServiceAccountRouteParts } from './routes/service-accounts.ts'
import { createSessionHandlers, type SessionRouteParts } from './routes/sessions.ts'
import { createTeamHandlers, type TeamRouteParts } from './routes/teams.ts'
import { createTenantHandlers, type TenantRouteParts } from './routes/tenant.ts'
import { createTokenIssuerHandlers, type TokenIssuerRouteParts } from './routes/token-issuers.ts'
import type { OperationId } from './routes-table.ts'

export type Handlers = Readonly<Record<OperationId, Handler>>

export type HandlerParts = RecordingRouteParts &
  SessionRouteParts &
  PeopleRouteParts &
  RoleRouteParts &
  TeamRouteParts &
  CoverRouteParts &
  BreakGlassRouteParts &
  AlertRouteParts &
  ActivityReviewRouteParts &
  CertificateRouteParts &
  DriftRunRouteParts &
  EvidenceRouteParts &
  HoldRouteParts &
  OwnSessionRouteParts &
  EmergencyCodeRouteParts &
  ProviderRouteParts &
  IdentityProviderRouteParts &
  TokenIssuerRouteParts &
  PasskeySessionRouteParts &
  OwnFactorRouteParts &
  OwnTokenRouteParts &
  InvitationRouteParts &
  ConnectorRouteParts &
  ServiceAccountRouteParts &
  TenantRouteParts &
  AuditRouteParts &
  ReportRouteParts &
  RetentionReportRouteParts &
  ReportScheduleRouteParts &
  RetentionRuleRouteParts &
  RetentionFactRouteParts &
  RetentionDecisionRouteParts &
  DisclosureRouteParts &
  DispositionRouteParts & {
    /** The OpenAPI document. */
    readonly document: object
  }

export function createHandlers(parts: HandlerParts): Handlers {
  return {
    ...createSessionHandlers(parts),
    ...createOwnSessionHandlers(parts),
    ...createProviderHandlers(parts),
    ...createIdentityProviderHandlers(parts),
    ...createTokenIssuerHandlers(parts),
    ...createPasskeySessionHandlers(parts),
    ...createOwnFactorHandlers(parts),
    ...createOwnTokenHandlers(parts),
    ...createInvitationHandlers(parts),
    ...createRecordingHandlers(parts),
    ...createPeopleHandlers(parts),
    ...createRoleHandlers(parts),
    ...createTeamHandlers(parts),
    ...createCoverHandlers(parts),
    ...createBreakGlassHandlers(parts),
    ...createAlertHandlers(parts),
    ...createActivityReviewHandlers(parts),
    ...createCertificateHandlers(parts),
    ...createDriftRunHandlers(parts),
    ...createEvidenceHandlers(parts),
    ...createHoldHandlers(parts),
    ...createEmergencyCodeHandlers(parts),
    ...createConnectorHandlers(parts),
    ...createServiceAccountHandlers(parts),
    ...createTenantHandlers(parts),
    ...createAuditHandlers(parts),
    ...createReportHandlers(parts),
    ...createRetentionReportHandlers(parts),
    ...createReportScheduleHandlers(parts),
    ...createDisclosureHandlers(parts),
    ...createRetentionRuleHandlers(parts),
    ...createRetentionFactHandlers(parts),
    ...createRetentionDecisionHandlers(parts),
    ...createDispositionHandlers(parts),
    ...createDocumentHandlers(parts),
  }
}
