-- Who may hear what: roles granted and taken, teams, cover, labels that restrict, factors of sign-in, emergency access,
-- providers of identity. A person is never deleted, and what was granted, used or ended keeps its row.

-- --- the tenant's own limits; each may be made stricter, none laxer ---

alter table auricle.tenant
  add column idle_ms integer not null default 900000 check (idle_ms between 60000 and 900000),
  add column session_ms integer not null default 43200000 check (session_ms between 300000 and 43200000),
  add column break_glass_ms integer not null default 3600000 check (break_glass_ms between 300000 and 14400000),
  add column review_ms integer not null default 259200000 check (review_ms between 3600000 and 604800000);
grant update (name, idle_ms, session_ms, break_glass_ms, review_ms) on auricle.tenant to :"app_role";

-- --- people and their roles ---

alter table auricle.app_user
  add column kind text not null default 'person' check (kind in ('person', 'service')),
  alter column password_hash drop not null,
  alter column totp_secret drop not null;
grant update (name, password_hash, totp_secret, disabled_at) on auricle.app_user to :"app_role";

create table auricle.role_grant (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  role text collate "C" not null,
  -- 'operator': at the machine's console. 'approval': asked for by one, approved by another. 'provider': by a group.
  source text not null check (source in ('operator', 'approval', 'provider')),
  request_id text collate "C",
  provider_id text collate "C",
  granted_at timestamptz not null,
  until timestamptz,
  revoked_at timestamptz,
  revoked_by text collate "C",
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id),
  check ((source = 'approval') = (request_id is not null)),
  check ((source = 'provider') = (provider_id is not null))
);
create unique index role_grant_live on auricle.role_grant (tenant_id, user_id, role, source, coalesce(provider_id, ''))
  where revoked_at is null;

-- Row-level security binds the owner too, so rows that are there already are moved tenant by tenant.
do $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    insert into auricle.role_grant (tenant_id, id, user_id, role, source, granted_at)
    select u.tenant_id, 'grt_' || substr(u.id, 5, 10) || substr(md5(u.id || r), 1, 16), u.id, r, 'operator', u.created_at
    from auricle.app_user u, unnest(u.roles) r;
  end loop;
  perform set_config('auricle.tenant', '', true);
end
$$;
alter table auricle.app_user drop column roles;

create table auricle.role_request (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  role text collate "C" not null,
  requested_by text collate "C" not null,
  requested_at timestamptz not null,
  reason bytea not null, -- sealed
  until timestamptz,
  decided_by text collate "C",
  decided_at timestamptz,
  outcome text check (outcome in ('approved', 'refused', 'withdrawn')),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id),
  foreign key (tenant_id, requested_by) references auricle.app_user (tenant_id, id),
  foreign key (tenant_id, decided_by) references auricle.app_user (tenant_id, id),
  check ((outcome is null) = (decided_at is null) and (outcome is null) = (decided_by is null)),
  constraint decided_by_another check (
    outcome is null or outcome = 'withdrawn' or (decided_by <> requested_by and decided_by <> user_id)
  )
);
create unique index role_request_open on auricle.role_request (tenant_id, user_id, role) where outcome is null;

-- --- teams, cover, labels ---

create table auricle.team (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  name text not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

create table auricle.team_member (
  tenant_id text collate "C" not null,
  team_id text collate "C" not null,
  user_id text collate "C" not null,
  supervises boolean not null default false,
  -- Null: put there by a person; otherwise the provider whose groups say so.
  provider_id text collate "C",
  primary key (tenant_id, team_id, user_id),
  foreign key (tenant_id, team_id) references auricle.team (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);
create index team_member_by_user on auricle.team_member (tenant_id, user_id);

create table auricle.team_mailbox (
  tenant_id text collate "C" not null,
  team_id text collate "C" not null,
  mailbox_id text collate "C" not null,
  primary key (tenant_id, team_id, mailbox_id),
  foreign key (tenant_id, team_id) references auricle.team (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id)
);

create table auricle.delegation (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  mailbox_id text collate "C" not null,
  from_user_id text collate "C" not null,
  to_user_id text collate "C" not null,
  created_by text collate "C" not null,
  created_at timestamptz not null,
  starts_at timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz,
  ended_by text collate "C",
  primary key (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id),
  foreign key (tenant_id, from_user_id) references auricle.app_user (tenant_id, id),
  foreign key (tenant_id, to_user_id) references auricle.app_user (tenant_id, id),
  check (until > starts_at and from_user_id <> to_user_id)
);
create index delegation_by_receiver on auricle.delegation (tenant_id, to_user_id) where ended_at is null;
create index delegation_by_giver on auricle.delegation (tenant_id, from_user_id);

grant delete on auricle.mailbox_owner, auricle.team_member, auricle.team_mailbox to :"app_role";

alter table auricle.recording
  add column labels text[] not null default '{}'
    check (labels <@ array['psychotherapy', 'part2', 'vip', 'employee']::text[]);
grant update (labels) on auricle.recording to :"app_role";

-- --- tokens and sessions ---

alter table auricle.token drop constraint token_purpose_check;
alter table auricle.token
  add column name text,
  add column scopes text[],
  add column secret_hash bytea, -- of an opaque token; null for one that is signed
  add column factors text[] not null default '{}',
  add column verified_at timestamptz,
  add column seen_at timestamptz,
  add column idle_ms integer,
  add column provider_id text collate "C",
  add column provider_session text,
  add column origin bytea, -- sealed: address and user agent
  add column created_by text collate "C",
  add column end_reason text;
do $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    update auricle.token set seen_at = created_at,
      purpose = case purpose when 'session' then 'session' else 'personal' end,
      scopes = case when purpose = 'session' then null else array[
        'recordings.read', 'recordings.play', 'recordings.export', 'recordings.mark', 'people.read', 'people.manage',
        'machines.read', 'machines.manage', 'reports.read'] end;
  end loop;
  perform set_config('auricle.tenant', '', true);
end
$$;
alter table auricle.token
  alter column seen_at set not null,
  add constraint token_purpose_check check (purpose in ('session', 'personal', 'service')),
  add constraint token_scopes check ((purpose = 'session') = (scopes is null));
create index token_live on auricle.token (tenant_id, user_id) where revoked_at is null;
-- When somebody last signed in.
create index token_by_user on auricle.token (tenant_id, user_id, created_at) where purpose = 'session';
create unique index token_opaque on auricle.token (id) where secret_hash is not null;
create index token_of_provider on auricle.token (tenant_id, provider_id, provider_session)
  where provider_id is not null and revoked_at is null;
grant update (verified_at, seen_at, factors, end_reason, provider_session) on auricle.token to :"app_role";

-- --- factors ---

create table auricle.passkey (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  credential_id text collate "C" not null,
  public_key bytea not null,
  sign_count bigint not null,
  transports text[] not null,
  is_multi_device boolean not null,
  is_backed_up boolean not null,
  aaguid text not null,
  name text not null,
  created_at timestamptz not null,
  used_at timestamptz,
  removed_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, credential_id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);
create index passkey_by_user on auricle.passkey (tenant_id, user_id) where removed_at is null;

create table auricle.recovery_code (
  tenant_id text collate "C" not null,
  user_id text collate "C" not null,
  code_hash bytea not null,
  created_at timestamptz not null,
  used_at timestamptz,
  removed_at timestamptz,
  primary key (tenant_id, user_id, code_hash),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

create table auricle.emergency_code (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  code_hash bytea not null,
  issued_by text collate "C" not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, code_hash),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

create table auricle.invitation (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  secret_hash bytea not null unique, -- one that is shown names no tenant
  created_by text collate "C", -- null: at the machine's console
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

create index invitation_by_user on auricle.invitation (tenant_id, user_id);

-- What was asked of somebody and waits for the answer; used once.
create table auricle.attempt (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  kind text not null,
  user_id text collate "C",
  data bytea not null, -- sealed: what the answer is checked against
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, id)
);
create index attempt_over on auricle.attempt (expires_at);
create unique index attempt_by_id on auricle.attempt (id);

-- --- emergency access ---

create table auricle.break_glass (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  token_id text collate "C" not null,
  reason bytea not null, -- sealed
  started_at timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz,
  review_due_at timestamptz not null,
  reviewed_by text collate "C",
  reviewed_at timestamptz,
  verdict text check (verdict in ('justified', 'not_justified')),
  review_note bytea, -- sealed
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id),
  foreign key (tenant_id, reviewed_by) references auricle.app_user (tenant_id, id),
  check ((verdict is null) = (reviewed_by is null) and (verdict is null) = (reviewed_at is null)),
  constraint reviewed_by_another check (reviewed_by is null or reviewed_by <> user_id)
);
create index break_glass_by_user on auricle.break_glass (tenant_id, user_id, until) where ended_at is null;
create index break_glass_running on auricle.break_glass (until) where ended_at is null;
create index break_glass_unreviewed on auricle.break_glass (review_due_at) where reviewed_at is null;

create table auricle.alert (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  kind text not null,
  subject_type text not null,
  subject_id text collate "C" not null,
  raised_at timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text collate "C",
  primary key (tenant_id, id),
  unique (tenant_id, kind, subject_id)
);
create index alert_open on auricle.alert (tenant_id, raised_at, id) where acknowledged_at is null;

-- --- identity from elsewhere ---

create table auricle.identity_provider (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null unique, -- a callback names its provider and no tenant
  name text not null,
  issuer text not null,
  client_id text not null,
  client_secret bytea not null, -- sealed
  settings jsonb not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  primary key (tenant_id, id)
);
create unique index identity_provider_live on auricle.identity_provider (tenant_id, name) where disabled_at is null;

create table auricle.external_identity (
  tenant_id text collate "C" not null,
  provider_id text collate "C" not null,
  subject text collate "C" not null,
  user_id text collate "C" not null,
  created_at timestamptz not null,
  primary key (tenant_id, provider_id, subject),
  unique (tenant_id, provider_id, user_id),
  foreign key (tenant_id, provider_id) references auricle.identity_provider (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

-- Tokens that may be shown once: logout tokens of a provider.
create table auricle.spent_token (
  tenant_id text collate "C" not null references auricle.tenant (id),
  issuer_id text collate "C" not null,
  jti text collate "C" not null,
  expires_at timestamptz not null,
  primary key (tenant_id, issuer_id, jti)
);

create table auricle.token_issuer (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null unique,
  name text not null,
  issuer text not null,
  audience text not null,
  settings jsonb not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  primary key (tenant_id, id)
);
-- A token names issuer and audience and no tenant: together they belong to one.
create unique index token_issuer_live on auricle.token_issuer (issuer, audience) where disabled_at is null;

create table auricle.issuer_subject (
  tenant_id text collate "C" not null,
  issuer_id text collate "C" not null,
  subject text collate "C" not null,
  user_id text collate "C" not null,
  scopes text[] not null,
  created_at timestamptz not null,
  removed_at timestamptz,
  primary key (tenant_id, issuer_id, subject),
  foreign key (tenant_id, issuer_id) references auricle.token_issuer (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

-- --- connectors: a new secret while the old one still holds ---

alter table auricle.connector
  add column previous_sealed_secrets bytea, -- sealed object
  add column previous_until timestamptz,
  add column previous_used_at timestamptz,
  -- The secrets it was made with, whose index key stays when secrets change. Null while they are those in use.
  add column first_sealed_secrets bytea, -- sealed object
  add constraint previous_has_end check ((previous_sealed_secrets is null) = (previous_until is null));
grant update (sealed_secrets, previous_sealed_secrets, previous_until, previous_used_at, first_sealed_secrets, disabled_at)
  on auricle.connector to :"app_role";

-- --- row-level security and rights ---

do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array[
    'role_grant', 'role_request', 'team', 'team_member', 'team_mailbox', 'delegation', 'passkey', 'recovery_code',
    'emergency_code', 'invitation', 'attempt', 'break_glass', 'alert', 'identity_provider', 'external_identity',
    'spent_token', 'token_issuer', 'issuer_subject'
  ] loop
    execute format('alter table auricle.%I enable row level security', tenant_table);
    execute format('alter table auricle.%I force row level security', tenant_table);
    execute format(
      'create policy own_tenant on auricle.%I
         using (tenant_id = current_setting(''auricle.tenant'', true))
         with check (tenant_id = current_setting(''auricle.tenant'', true))',
      tenant_table
    );
  end loop;
end
$$;

grant select, insert on auricle.role_grant, auricle.role_request, auricle.team, auricle.team_member, auricle.team_mailbox,
  auricle.delegation, auricle.passkey, auricle.recovery_code, auricle.emergency_code, auricle.invitation, auricle.attempt,
  auricle.break_glass, auricle.alert, auricle.identity_provider, auricle.external_identity, auricle.spent_token,
  auricle.token_issuer, auricle.issuer_subject to :"app_role";
grant update (until, revoked_at, revoked_by) on auricle.role_grant to :"app_role";
grant update (decided_by, decided_at, outcome) on auricle.role_request to :"app_role";
grant update (name) on auricle.team to :"app_role";
grant update (supervises, provider_id) on auricle.team_member to :"app_role";
grant update (ended_at, ended_by) on auricle.delegation to :"app_role";
grant update (sign_count, is_backed_up, name, used_at, removed_at) on auricle.passkey to :"app_role";
grant update (used_at, removed_at) on auricle.recovery_code to :"app_role";
grant update (used_at, revoked_at) on auricle.emergency_code to :"app_role";
grant update (used_at, revoked_at) on auricle.invitation to :"app_role";
grant update (used_at) on auricle.attempt to :"app_role";
grant update (ended_at, reviewed_by, reviewed_at, verdict, review_note) on auricle.break_glass to :"app_role";
grant update (acknowledged_at, acknowledged_by) on auricle.alert to :"app_role";
grant update (name, client_secret, settings, disabled_at) on auricle.identity_provider to :"app_role";
grant update (settings, disabled_at) on auricle.token_issuer to :"app_role";
grant update (scopes, removed_at) on auricle.issuer_subject to :"app_role";

-- --- the directory ---

create policy directory on auricle.identity_provider for select to current_user using (true);
create policy directory on auricle.token_issuer for select to current_user using (true);
create policy directory on auricle.break_glass for select to current_user using (true);
create policy directory on auricle.alert for select to current_user using (true);
create policy directory on auricle.attempt to current_user using (true);
create policy directory on auricle.spent_token to current_user using (true);
create policy directory on auricle.token for select to current_user using (true);
create policy directory on auricle.invitation for select to current_user using (true);

-- An opaque token, an invitation and an attempt name no tenant.
create function auricle.token_owner(p_token text) returns table (tenant_id text, user_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.tenant_id, t.user_id from auricle.token t where t.id = p_token and t.secret_hash is not null
$$;

create function auricle.tenant_of_invitation(p_secret_hash bytea) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tenant_id from auricle.invitation where secret_hash = p_secret_hash
$$;

create function auricle.tenant_of_attempt(p_attempt text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tenant_id from auricle.attempt where id = p_attempt
$$;

create function auricle.tenant_of_provider(p_provider text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tenant_id from auricle.identity_provider where id = p_provider
$$;

create function auricle.issuer_of(p_issuer text) returns table (tenant_id text, id text, audience text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.tenant_id, t.id, t.audience from auricle.token_issuer t where t.issuer = p_issuer and t.disabled_at is null
$$;

-- Reviews that nobody was alerted of yet.
create function auricle.overdue_reviews(p_now timestamptz, p_limit integer) returns table (tenant_id text, id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select b.tenant_id, b.id from auricle.break_glass b
  where b.reviewed_at is null and b.review_due_at <= p_now and not exists (
    select from auricle.alert a
    where a.tenant_id = b.tenant_id and a.kind = 'review_overdue' and a.subject_id = b.id
  )
  order by b.review_due_at, b.id limit p_limit
$$;

-- Emergency access that ran out, whose end is not on record yet.
create function auricle.expired_break_glass(p_now timestamptz, p_limit integer) returns table (tenant_id text, id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select b.tenant_id, b.id from auricle.break_glass b
  where b.ended_at is null and b.until <= p_now order by b.until, b.id limit p_limit
$$;

create function auricle.open_alerts() returns table (kind text, alerts bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.kind, count(*) from auricle.alert a where a.acknowledged_at is null group by a.kind order by a.kind
$$;

-- What is over and proves nothing any more: a challenge that nobody answered, a logout token that expired.
create function auricle.remove_spent(p_before timestamptz) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (delete from auricle.attempt where expires_at < p_before returning 1),
    spent as (delete from auricle.spent_token where expires_at < p_before returning 1)
  select (select count(*) from gone) + (select count(*) from spent)
$$;

-- --- look-ups of every request ---

-- Roles in force, emergency access that is open, and the mailboxes somebody may come to; of one mailbox only where it is
-- given. Runs as its caller, with the tenant set.
create function auricle.access_facts(p_tenant text, p_user text, p_mailbox text, p_now timestamptz)
returns table (roles text[], relations jsonb, break_glass_id text, break_glass_until timestamptz)
language sql stable as $$
  select
    array(
      select distinct g.role::text from auricle.role_grant g
      where g.tenant_id = p_tenant and g.user_id = p_user and g.revoked_at is null
        and (g.until is null or g.until > p_now)
      order by 1
    ),
    (
      select coalesce(jsonb_agg(jsonb_build_object('mailboxId', r.mailbox_id, 'kind', r.kind, 'until', r.until)
        order by r.mailbox_id, r.kind), '[]'::jsonb)
      from (
        select o.mailbox_id, 'owner' as kind, null::timestamptz as until from auricle.mailbox_owner o
        where o.tenant_id = p_tenant and o.user_id = p_user and (p_mailbox is null or o.mailbox_id = p_mailbox)
        union all
        select tm.mailbox_id, case when m.supervises then 'supervises' else 'team' end, null
        from auricle.team_member m join auricle.team_mailbox tm on tm.tenant_id = p_tenant and tm.team_id = m.team_id
        where m.tenant_id = p_tenant and m.user_id = p_user and (p_mailbox is null or tm.mailbox_id = p_mailbox)
        union all
        select d.mailbox_id, 'delegation', d.until from auricle.delegation d
        -- Cover ends with the right of the one who is covered for.
        join auricle.mailbox_owner o
          on o.tenant_id = p_tenant and o.mailbox_id = d.mailbox_id and o.user_id = d.from_user_id
        join auricle.app_user g on g.tenant_id = p_tenant and g.id = d.from_user_id and g.disabled_at is null
        where d.tenant_id = p_tenant and d.to_user_id = p_user and d.ended_at is null and d.starts_at <= p_now
          and d.until > p_now and (p_mailbox is null or d.mailbox_id = p_mailbox)
      ) r
    ),
    b.id::text, b.until
  from (select 1) one
  left join lateral (
    select g.id, g.until from auricle.break_glass g
    where g.tenant_id = p_tenant and g.user_id = p_user and g.ended_at is null and g.until > p_now
    order by g.until desc limit 1
  ) b on true
$$;

-- A token holds while it is neither revoked nor expired, was not idle too long, and its person is not disabled.
create function auricle.holds(t auricle.token, p_now timestamptz) returns boolean
language sql immutable as $$
  select t.revoked_at is null and t.expires_at > p_now
    and (t.idle_ms is null or t.seen_at + t.idle_ms * interval '1 millisecond' > p_now)
$$;

drop function auricle.find_bearer(text, text, timestamptz);
create function auricle.find_bearer(p_tenant text, p_token text, p_now timestamptz)
returns table (
  id text, tenant_id text, login text, name text, kind text, created_at timestamptz, disabled_at timestamptz,
  roles text[], relations jsonb, break_glass_id text, break_glass_until timestamptz,
  purpose text, scopes text[], secret_hash bytea, verified_at timestamptz, expires_at timestamptz, idle_ms integer
)
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  -- A use counts at most twice a minute, so that reading stays reading.
  update auricle.token t set seen_at = p_now
  where t.tenant_id = p_tenant and t.id = p_token and t.seen_at < p_now - interval '30 seconds'
    and auricle.holds(t, p_now);
  return query
    select u.id, u.tenant_id, u.login, u.name, u.kind, u.created_at, u.disabled_at,
      a.roles, a.relations, a.break_glass_id, a.break_glass_until,
      t.purpose, t.scopes, t.secret_hash, t.verified_at, t.expires_at, t.idle_ms
    from auricle.token t
    join auricle.app_user u on u.tenant_id = t.tenant_id and u.id = t.user_id
    cross join lateral auricle.access_facts(p_tenant, u.id, null, p_now) a
    where t.tenant_id = p_tenant and t.id = p_token and auricle.holds(t, p_now) and u.disabled_at is null;
end
$$;

drop function auricle.find_play_facts(text, text, text, text, timestamptz);
create function auricle.find_play_facts(
  p_tenant text, p_token text, p_recording text, p_role text, p_now timestamptz, p_is_use boolean
)
returns table (
  user_id text, roles text[], relations jsonb, break_glass_id text, break_glass_until timestamptz,
  purpose text, scopes text[], secret_hash bytea, verified_at timestamptz,
  recording_id text, mailbox_id text, labels text[], audio_state text, role text,
  object_key text, generation text, sealed_bytes bigint, plaintext_bytes bigint, content_type text, fingerprint bytea,
  wrap jsonb
)
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  -- A stream that is looked at while nothing of it is sent is no use of the token.
  update auricle.token t set seen_at = p_now
  where p_is_use and t.tenant_id = p_tenant and t.id = p_token and t.seen_at < p_now - interval '30 seconds'
    and auricle.holds(t, p_now);
  return query
    select u.id, a.roles, a.relations, a.break_glass_id, a.break_glass_until,
      t.purpose, t.scopes, t.secret_hash, t.verified_at,
      r.id, r.mailbox_id, r.labels, r.audio_state, b.role, b.object_key, b.generation, b.sealed_bytes, b.plaintext_bytes,
      b.content_type, b.fingerprint, b.wrap
    from auricle.token t
    join auricle.app_user u on u.tenant_id = t.tenant_id and u.id = t.user_id
    left join auricle.recording r on r.tenant_id = p_tenant and r.id = p_recording
    left join auricle.recording_object b on b.tenant_id = p_tenant and b.recording_id = r.id and b.role = p_role
    -- Of a recording without a mailbox nobody has a relation: the empty id is no mailbox's.
    cross join lateral auricle.access_facts(p_tenant, u.id, coalesce(r.mailbox_id, ''), p_now) a
    where t.tenant_id = p_tenant and t.id = p_token and auricle.holds(t, p_now) and u.disabled_at is null;
end
$$;

revoke execute on all functions in schema auricle from public;
grant execute on all functions in schema auricle to :"app_role";
revoke execute on function auricle.refuse_change() from :"app_role";
