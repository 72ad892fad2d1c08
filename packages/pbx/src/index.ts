export type { Delivery, DeliveryRequest, OpenOptions, PbxConnector, ProvenBy } from './connector.ts'
export { type ConnectorKind, connectors, findConnector } from './connectors.ts'
export { PbxError, type PbxErrorCode } from './error.ts'
export {
  createFetcher,
  type FetchedAudio,
  type Fetcher,
  type FetcherOptions,
  type FetchLimits,
  type FetchRequest,
  type Resolve,
} from './remote-fetch.ts'
export type { AllowedHost } from './remote-target.ts'
export {
  createStandardDelivery,
  type SignOptions,
  type StandardDelivery,
  type StandardDeliveryInput,
  type StandardHeaders,
  signStandard,
  signStandardStream,
} from './standard-delivery.ts'
export type { StandardEvent } from './standard-metadata.ts'
