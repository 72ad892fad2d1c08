// Which roles and teams a provider's groups stand for here. No rule, no way in.

/** Somebody in `group` gets these roles and teams. Groups are compared letter by letter. */
export interface GroupRule<RoleName extends string = string> {
  readonly group: string
  readonly roles: readonly RoleName[]
  readonly teams: readonly string[]
}

export interface Admission<RoleName extends string = string> {
  readonly roles: readonly RoleName[]
  readonly teams: readonly string[]
}

/** What all matching rules give together, in their order, each once; null where none matches: they are not admitted. */
export function mapGroups<RoleName extends string>(
  groups: readonly string[],
  rules: readonly GroupRule<RoleName>[],
): Admission<RoleName> | null {
  const held = new Set(groups)
  const matching = rules.filter(rule => held.has(rule.group))
  if (matching.length === 0) return null
  return {
    roles: [...new Set(matching.flatMap(rule => rule.roles))],
    teams: [...new Set(matching.flatMap(rule => rule.teams))],
  }
}
