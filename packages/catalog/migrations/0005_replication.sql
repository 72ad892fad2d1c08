-- Which objects have a copy in the recovery store, and what is known of those that have none yet. Every object owes one
-- from the moment it is archived, those before this migration from its moment on, so a recovery store that is configured
-- later is filled from these rows alone.

alter table auricle.recording_object
  add column replicated_at timestamptz,
  add column recovery_generation text,
  add column replication_owed_at timestamptz not null default now(),
  add column replication_due_at timestamptz not null default now(),
  add column replication_attempts integer not null default 0,
  add column replication_error text,
  add constraint replicated_as check ((replicated_at is null) = (recovery_generation is null));

create index recording_object_unreplicated
  on auricle.recording_object (replication_due_at, tenant_id, recording_id) include (replication_owed_at, replication_error)
  where replicated_at is null;

grant update (
  replicated_at, recovery_generation, replication_due_at, replication_attempts, replication_error
) on auricle.recording_object to :"app_role";

-- The directory: work of any tenant, by id alone.

create policy directory on auricle.recording_object for select to current_user using (true);

-- No recording has more than three objects, and those of one lie side by side in the index.
create function auricle.unreplicated_recordings(p_before timestamptz, p_now timestamptz, p_limit integer)
returns table (tenant_id text, recording_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select o.tenant_id, o.recording_id from (
    select b.tenant_id, b.recording_id, b.replication_due_at from auricle.recording_object b
    where b.replicated_at is null and b.replication_due_at <= p_now and b.replication_owed_at < p_before
    order by b.replication_due_at, b.tenant_id, b.recording_id
    limit p_limit * 3
  ) o
  group by o.tenant_id, o.recording_id
  order by min(o.replication_due_at), o.tenant_id, o.recording_id
  limit p_limit
$$;

create function auricle.replication_backlog() returns table (objects bigint, damaged bigint, owed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*), count(*) filter (where o.replication_error = 'damaged'), min(o.replication_owed_at)
  from auricle.recording_object o where o.replicated_at is null
$$;

grant execute on function auricle.unreplicated_recordings(timestamptz, timestamptz, integer) to :"app_role";
grant execute on function auricle.replication_backlog() to :"app_role";
