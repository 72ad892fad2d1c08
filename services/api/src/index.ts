export { type Authority, openAuthority } from './authority.ts'
export { createProviderParts } from './provider-parts.ts'
export { type ApiParts, startApi } from './service.ts'
