// The table of rights as the blueprint states it, read as values.
import { isBody, type Module, type Value } from './configuration.ts'

export interface Role {
  readonly title: string
  readonly permissions: readonly string[]
}

export interface ObjectGrant {
  readonly service: string
  readonly store: string
  readonly role: string
  /** The folder of keys that it reaches; null for the whole bucket. */
  readonly within: string | null
  readonly why: string
}

/** To people, by what they are at the time. */
export interface OfficerGrant extends Omit<ObjectGrant, 'service' | 'within'> {
  readonly officer: string
  readonly within: string
}

export interface KeyGrant {
  readonly service: string
  readonly role: string
  /** A purpose of tenants' keys, or a key of the deployment; null for the whole key ring. */
  readonly keys: string | null
  readonly why: string
}

type Named<Item> = Readonly<Record<string, Item>>

export interface Rights {
  readonly object_roles: Named<Role>
  readonly object_grants: Named<ObjectGrant>
  readonly officer_roles: Named<Role>
  readonly officer_grants: Named<OfficerGrant>
  readonly key_roles: Named<string>
  readonly own_key_roles: Named<Role>
  readonly tenant_key_endings: Named<string>
  readonly key_grants: Named<KeyGrant>
}

type Field = (value: Value) => boolean

/** Not an expression, which only Terraform could work out. */
const text: Field = value => typeof value === 'string' && value !== '' && !/[$%]\{/.test(value)
const textOrNull: Field = value => value === null || text(value)
const texts: Field = value => Array.isArray(value) && value.every(text)
const stores = ['recordings', 'recovery', 'log', 'reports']
const store: Field = value => stores.includes(String(value))
const folder: Field = value => value === null || (text(value) && /^[a-z]+(?:-[a-z]+)*\/$/.test(String(value)))

const role = { title: text, permissions: texts }

/** Exactly these fields: a grant with a misspelt one would mean less, or more, than it says. */
const shape: Readonly<Record<keyof Rights, Field | Readonly<Record<string, Field>>>> = {
  object_roles: role,
  object_grants: { service: text, store, role: text, within: folder, why: text },
  officer_roles: role,
  officer_grants: { officer: text, store, role: text, within: folder, why: text },
  key_roles: text,
  own_key_roles: role,
  tenant_key_endings: text,
  key_grants: { service: text, role: text, keys: textOrNull, why: text },
}

export const rightsFile = 'rights.tf'

/** Null with the reasons where the table is not plain values of the shape that it must have. */
export function readRights(module: Module): { readonly rights: Rights | null; readonly problems: string[] } {
  const file = `${module.folder}/${rightsFile}`
  const found = [...module.locals].filter(([, { file: of }]) => of === file)
  const table: Record<string, Value> = Object.fromEntries(found.map(([name, { value }]) => [name, value]))
  const problems = [...judgeTable(table)].map(sentence => `${file}: ${sentence}`)
  return { rights: problems.length === 0 ? (table as unknown as Rights) : null, problems }
}

function* judgeTable(table: Readonly<Record<string, Value>>): Generator<string> {
  for (const name of Object.keys(table))
    if (!(name in shape)) yield `${name} is no part of the table of rights`
  for (const [name, fields] of Object.entries(shape)) {
    const rows = table[name]
    if (!isBody(rows)) {
      yield `${name} is not there as plain values`
      continue
    }
    for (const [key, row] of Object.entries(rows)) {
      const path = `${name}.${key}`
      if (typeof fields === 'function') {
        if (!fields(row)) yield `${path} is not as it must be`
      } else if (!isBody(row)) yield `${path} is not plain values`
      else yield* judgeRow(path, row, fields)
    }
  }
}

function* judgeRow(
  path: string,
  row: Readonly<Record<string, Value>>,
  fields: Readonly<Record<string, Field>>,
): Generator<string> {
  for (const name of Object.keys(row)) if (!(name in fields)) yield `${path}.${name} means nothing`
  for (const [name, fits] of Object.entries(fields)) {
    const value = row[name]
    if (value === undefined || !fits(value)) yield `${path}.${name} is not as it must be`
  }
}
