export { type Authority, openAuthority } from './authority.ts'
export { type ApiParts, startApi } from './service.ts'
