export type { Delivery, DeliveryRequest, OpenOptions, PbxConnector } from './connector.ts'
export { PbxError, type PbxErrorCode } from './error.ts'
