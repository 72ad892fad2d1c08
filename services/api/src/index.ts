export { type ApiParts, startApi, tokenParties } from './service.ts'
