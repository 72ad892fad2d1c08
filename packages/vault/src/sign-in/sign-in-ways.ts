// How the people of a tenant may sign in. One that nobody has answers like one with local people only.
import type { Catalog } from '@auricle/catalog'
import type { SignInWays } from '@auricle/contract'
import type { CallOptions } from '@auricle/sealed'

export async function signInWays(
  { catalog }: { readonly catalog: Pick<Catalog, 'findTenantBySlug' | 'listProviders'> },
  slug: string,
  options: CallOptions,
): Promise<SignInWays> {
  const tenant = await catalog.findTenantBySlug(slug, options)
  const providers = tenant === null ? [] : await catalog.listProviders(tenant.id, options)
  const live = providers.filter(({ disabledAt }) => disabledAt === null)
  return { local: true, providers: live.map(({ id, name }) => ({ id, name })) }
}
