-- Commit points and look-ups that must take one round trip. Those without SECURITY DEFINER run as their caller, and
-- row-level security binds inside them as outside.

-- Everybody may run a new function unless its maker says otherwise, and only for all schemas at once.
alter default privileges revoke execute on functions from public;
revoke execute on all functions in schema auricle from public;

-- The directory: which tenant something belongs to, and nothing else of it.

create function auricle.tenant_of_slug(p_slug text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select id from auricle.tenant where slug = p_slug
$$;

create function auricle.tenant_of_connector(p_connector text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select tenant_id from auricle.connector where id = p_connector
$$;

create function auricle.tenant_ids() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select id from auricle.tenant order by id
$$;

create function auricle.stalled_intakes(p_before timestamptz, p_now timestamptz, p_limit integer)
returns table (tenant_id text, id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select i.tenant_id, i.id from auricle.intake i
  where i.state = 'received' and i.touched_at < p_before and i.next_attempt_at <= p_now
  order by i.touched_at, i.id
  limit p_limit
$$;

-- Locks what it returns until the transaction ends, so that each row is handed over by one caller at a time.
create function auricle.take_outbox(p_limit integer) returns table (id bigint, tenant_id text, intake_id text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select o.id, o.tenant_id, o.intake_id from auricle.outbox o order by o.id limit p_limit for update skip locked
$$;

create function auricle.remove_outbox(p_ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from auricle.outbox where id = any (p_ids)
$$;

-- Look-ups that begin without a tenant and end within one.

create function auricle.find_tenant_by_slug(p_slug text) returns setof auricle.tenant
language plpgsql as $$
declare
  v_tenant text := auricle.tenant_of_slug(p_slug);
begin
  perform set_config('auricle.tenant', coalesce(v_tenant, ''), true);
  return query select t.* from auricle.tenant t where t.id = v_tenant;
end
$$;

create function auricle.list_tenants() returns setof auricle.tenant
language plpgsql as $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    return query select t.* from auricle.tenant t where t.id = v_tenant;
  end loop;
end
$$;

create function auricle.find_connector(p_connector text) returns setof auricle.connector
language plpgsql as $$
declare
  v_tenant text := auricle.tenant_of_connector(p_connector);
begin
  perform set_config('auricle.tenant', coalesce(v_tenant, ''), true);
  return query select c.* from auricle.connector c where c.tenant_id = v_tenant and c.id = p_connector;
end
$$;

-- Look-ups of every request.

create function auricle.find_intake_by_source(p_tenant text, p_connector text, p_source_key bytea)
returns setof auricle.intake
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  return query
    select i.* from auricle.intake i
    where i.tenant_id = p_tenant and i.connector_id = p_connector and i.source_key = p_source_key;
end
$$;

create function auricle.find_bearer(p_tenant text, p_token text, p_now timestamptz)
returns table (
  id text, tenant_id text, login text, name text, roles text[], created_at timestamptz, disabled_at timestamptz,
  mailbox_ids text[]
)
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  return query
    select u.id, u.tenant_id, u.login, u.name, u.roles, u.created_at, u.disabled_at,
      array(
        select o.mailbox_id::text from auricle.mailbox_owner o
        where o.tenant_id = p_tenant and o.user_id = u.id order by o.mailbox_id
      )
    from auricle.token t
    join auricle.app_user u on u.tenant_id = t.tenant_id and u.id = t.user_id
    where t.tenant_id = p_tenant and t.id = p_token and t.revoked_at is null and t.expires_at > p_now
      and u.disabled_at is null;
end
$$;

create function auricle.find_play_facts(
  p_tenant text, p_token text, p_recording text, p_role text, p_now timestamptz
)
returns table (
  user_id text, roles text[], mailbox_ids text[], recording_id text, mailbox_id text, audio_state text, role text,
  object_key text, generation text, sealed_bytes bigint, plaintext_bytes bigint, content_type text, fingerprint bytea,
  wrap jsonb
)
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  return query
    select u.id, u.roles,
      array(
        select o.mailbox_id::text from auricle.mailbox_owner o
        where o.tenant_id = p_tenant and o.user_id = u.id order by o.mailbox_id
      ),
      r.id, r.mailbox_id, r.audio_state, b.role, b.object_key, b.generation, b.sealed_bytes, b.plaintext_bytes,
      b.content_type, b.fingerprint, b.wrap
    from auricle.token t
    join auricle.app_user u on u.tenant_id = t.tenant_id and u.id = t.user_id
    left join auricle.recording r on r.tenant_id = p_tenant and r.id = p_recording
    left join auricle.recording_object b on b.tenant_id = p_tenant and b.recording_id = r.id and b.role = p_role
    where t.tenant_id = p_tenant and t.id = p_token and t.revoked_at is null and t.expires_at > p_now
      and u.disabled_at is null;
end
$$;

-- Commit points.

-- All or none, whatever tenants the events belong to.
create function auricle.append_events(p_tenants text[], p_ids text[], p_leaves bytea[], p_privates bytea[])
returns void
language plpgsql as $$
declare
  v_tenant text;
begin
  for v_tenant in select distinct t from unnest(p_tenants) t loop
    perform set_config('auricle.tenant', v_tenant, true);
    insert into auricle.audit_event (tenant_id, id, leaf, sealed_private)
      select e.tenant, e.id, e.leaf, e.private
      from unnest(p_tenants, p_ids, p_leaves, p_privates) e (tenant, id, leaf, private)
      where e.tenant = v_tenant;
  end loop;
end
$$;

-- A delivery: intake, audit event and outbox row. Returns no row where it was committed, and the first intake where
-- the connector has that source already.
create function auricle.commit_intake(
  p_tenant text, p_id text, p_connector text, p_source_key bytea, p_content_mac bytea, p_recording text,
  p_object_key text, p_audio_bytes bigint, p_sealed_notice bytea, p_received_at timestamptz, p_now timestamptz,
  p_event_tenant text, p_event_id text, p_leaf bytea, p_sealed_private bytea
)
returns setof auricle.intake
language plpgsql as $$
begin
  perform set_config('auricle.tenant', p_tenant, true);
  if not exists (select from auricle.connector c where c.tenant_id = p_tenant and c.id = p_connector) then
    raise exception 'no such connector' using errcode = 'foreign_key_violation';
  end if;
  insert into auricle.intake (
    tenant_id, id, connector_id, source_key, content_mac, recording_id, state, object_key, audio_bytes, sealed_notice,
    received_at, next_attempt_at, touched_at
  ) values (
    p_tenant, p_id, p_connector, p_source_key, p_content_mac, p_recording, 'received', p_object_key, p_audio_bytes,
    p_sealed_notice, p_received_at, p_received_at, p_now
  )
  on conflict (tenant_id, connector_id, source_key) do nothing;
  if not found then
    -- The insert has waited for the first to commit, so a statement after it sees that one's row.
    return query
      select i.* from auricle.intake i
      where i.tenant_id = p_tenant and i.connector_id = p_connector and i.source_key = p_source_key;
    return;
  end if;
  insert into auricle.audit_event (tenant_id, id, leaf, sealed_private)
    values (p_event_tenant, p_event_id, p_leaf, p_sealed_private);
  insert into auricle.outbox (tenant_id, intake_id) values (p_tenant, p_id);
end
$$;

grant execute on all functions in schema auricle to :"app_role";
revoke execute on function auricle.refuse_change() from :"app_role";
