-- The log that an outsider can check: its order, its trees and their signed roots, the log over all logs; patients under
-- a random name; disclosures; the weekly review. Rows of the log are added and never changed.

-- --- events ---

-- Taken into write-once storage while the database could not have it, and brought here later.
alter table auricle.audit_event add column late boolean not null default false;
grant insert (late) on auricle.audit_event to :"app_role";
-- The sequencer's order: every transaction before the horizon has ended, so nothing can appear behind its cursor.
create index audit_event_by_transaction on auricle.audit_event (tenant_id, xid, id);

-- --- the tree of a tenant and year ---

create table auricle.audit_log (
  tenant_id text collate "C" not null references auricle.tenant (id),
  year integer not null check (year between 2020 and 9999),
  origin text not null unique,
  size bigint not null default 0 check (size >= 0),
  frontier bytea not null default '\x', -- hashes of 32 bytes, of the perfect subtrees of `size`, largest first
  cursor_xid xid8 not null default '0',
  cursor_id text collate "C" not null default '',
  opened_at timestamptz not null,
  closed_at timestamptz, -- a later year's log is open
  primary key (tenant_id, year)
);

-- The order of the leaves, and of each what search needs. Nothing here but `seq` and `leaf_hash` proves anything: proofs
-- are of leaves.
create table auricle.audit_seal (
  tenant_id text collate "C" not null,
  year integer not null,
  seq bigint not null check (seq >= 0),
  event_id text collate "C" not null,
  leaf_hash bytea not null check (length(leaf_hash) = 32),
  at timestamptz not null,
  action text collate "C" not null,
  outcome text collate "C" not null,
  actor_id text collate "C" not null,
  object_id text collate "C",
  primary key (tenant_id, year, seq),
  -- No foreign key to the log: whoever seals has its row locked, and a look at it for each row is a quarter of the work.
  unique (tenant_id, event_id)
);
create index audit_seal_by_time on auricle.audit_seal (tenant_id, at, event_id);
create index audit_seal_by_actor on auricle.audit_seal (tenant_id, actor_id, at, event_id);
create index audit_seal_by_object on auricle.audit_seal (tenant_id, object_id, at, event_id) where object_id is not null;
create index audit_seal_by_action on auricle.audit_seal (tenant_id, action, at, event_id);
create index audit_seal_refused on auricle.audit_seal (tenant_id, outcome, at, event_id) where outcome <> 'allowed';

-- Which events are about which patients: an event may be about many (a page of a list) or none.
create table auricle.audit_patient (
  tenant_id text collate "C" not null,
  patient_id text collate "C" not null,
  year integer not null,
  seq bigint not null,
  at timestamptz not null,
  primary key (tenant_id, patient_id, year, seq)
);
create index audit_patient_by_time on auricle.audit_patient (tenant_id, patient_id, at);

-- Full tiles of 256 hashes only (C2SP tlog-tiles), each with the hash that stands for it in the tile above; what is not
-- full follows from seals and from those.
create table auricle.audit_tile (
  tenant_id text collate "C" not null,
  year integer not null,
  level smallint not null check (level between 0 and 7),
  idx bigint not null check (idx >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  root bytea not null check (length(root) = 32),
  primary key (tenant_id, year, level, idx),
  foreign key (tenant_id, year) references auricle.audit_log (tenant_id, year)
);

create table auricle.audit_checkpoint (
  tenant_id text collate "C" not null,
  year integer not null,
  size bigint not null check (size > 0),
  root bytea not null check (length(root) = 32),
  note text not null, -- signed
  sealed_at timestamptz not null,
  -- All that it stands on is in write-once storage and a leaf of the log over all logs: it, or a later one of its log.
  published_at timestamptz,
  primary key (tenant_id, year, size),
  foreign key (tenant_id, year) references auricle.audit_log (tenant_id, year)
);
create index audit_checkpoint_unpublished on auricle.audit_checkpoint (tenant_id, year, size)
  where published_at is null;

-- --- the log over all logs: its leaves are their checkpoints, and now and then only the time ---

create table auricle.anchor_log (
  single boolean primary key default true check (single),
  origin text not null,
  size bigint not null default 0 check (size >= 0),
  frontier bytea not null default '\x'
);

create table auricle.anchor_leaf (
  seq bigint primary key check (seq >= 0),
  leaf bytea not null,
  leaf_hash bytea not null generated always as (sha256('\x00'::bytea || leaf)) stored,
  at timestamptz not null,
  -- Null for the time alone.
  tenant_id text collate "C",
  year integer,
  size bigint,
  check ((tenant_id is null) = (year is null) and (tenant_id is null) = (size is null)),
  unique (tenant_id, year, size)
);

create table auricle.anchor_tile (
  level smallint not null check (level between 0 and 7),
  idx bigint not null check (idx >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  root bytea not null check (length(root) = 32),
  primary key (level, idx)
);

create table auricle.anchor_checkpoint (
  size bigint primary key check (size > 0),
  root bytea not null check (length(root) = 32),
  note text not null, -- signed, with the cosignatures that came in time
  signed_at timestamptz not null,
  published_at timestamptz
);

-- Keys that sign the tenants' checkpoints, wrapped: the sequencer's alone. At most one is unretired.
create table auricle.log_key (
  id text collate "C" primary key,
  public_key bytea not null check (length(public_key) = 32),
  wrapped jsonb not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index log_key_in_use on auricle.log_key ((true)) where retired_at is null;

-- Which cluster the transaction ids in the log are of: after a restore into another one they mean nothing there.
create table auricle.log_cluster (
  single boolean primary key default true check (single),
  system_identifier text not null,
  seen_at timestamptz not null
);

-- --- patients: a random name, so that the log can say whom an event is about without saying who that is ---

create table auricle.patient (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  reference_index bytea not null, -- blind index of the reference
  reference bytea not null, -- sealed
  created_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, reference_index)
);
alter table auricle.recording
  add column patient_id text collate "C",
  add foreign key (tenant_id, patient_id) references auricle.patient (tenant_id, id);
create index recording_of_patient on auricle.recording (tenant_id, patient_id, started_at desc, id desc)
  where patient_id is not null;
-- Of what was archived before patients had names; empty once all have theirs.
create index recording_unnamed on auricle.recording (tenant_id, id)
  where patient_id is null and patient_reference is not null;
grant update (patient_id) on auricle.recording to :"app_role";

-- --- disclosures (45 CFR 164.528) ---

create table auricle.disclosure (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  patient_id text collate "C" not null,
  recording_id text collate "C",
  disclosed_at timestamptz not null,
  purpose text not null,
  recipient_kind text not null,
  accountable boolean not null,
  recipient_name bytea not null, -- sealed
  recipient_address bytea, -- sealed
  what bytea not null, -- sealed: a brief description of what was disclosed
  why bytea not null, -- sealed: a brief statement of the purpose
  recorded_by text collate "C",
  recorded_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, patient_id) references auricle.patient (tenant_id, id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id)
);
create index disclosure_of_patient on auricle.disclosure (tenant_id, patient_id, disclosed_at, id);

-- An agency may ask that the accounting leaves out what it was given, for a time (164.528(a)(2)).
create table auricle.disclosure_suspension (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  patient_id text collate "C" not null,
  recipient_kind text not null check (recipient_kind in ('health_oversight', 'law_enforcement')),
  form text not null check (form in ('written', 'oral')),
  agency bytea not null, -- sealed
  statement bytea not null, -- sealed
  from_at timestamptz not null,
  until_at timestamptz not null check (until_at > from_at),
  recorded_by text collate "C",
  recorded_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, patient_id) references auricle.patient (tenant_id, id),
  check (form = 'written' or until_at <= from_at + interval '30 days')
);
create index disclosure_suspension_of_patient on auricle.disclosure_suspension (tenant_id, patient_id);

-- --- the weekly review of activity (164.308(a)(1)(ii)(D)) ---

alter table auricle.tenant add column working_hours jsonb not null
  default '{"timeZone":"UTC","opensAt":"07:00","closesAt":"19:00","days":[1,2,3,4,5]}';
grant update (working_hours) on auricle.tenant to :"app_role";

create table auricle.activity_review (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  opened_at timestamptz not null,
  due_at timestamptz not null,
  signed_at timestamptz,
  signed_by text collate "C",
  note bytea, -- sealed
  primary key (tenant_id, id),
  unique (tenant_id, from_at)
);
create index activity_review_unsigned on auricle.activity_review (tenant_id, due_at) where signed_at is null;

create table auricle.activity_finding (
  tenant_id text collate "C" not null,
  review_id text collate "C" not null,
  number integer not null check (number > 0),
  kind text not null,
  actor_id text collate "C",
  -- What it rests on: events, and how many where they are too many to name.
  event_ids text[] not null,
  event_count integer not null check (event_count >= 0),
  usual integer check (usual >= 0), -- how many would have been usual
  verdict text check (verdict in ('expected', 'follow_up')),
  primary key (tenant_id, review_id, number),
  foreign key (tenant_id, review_id) references auricle.activity_review (tenant_id, id)
);

-- --- who may what ---

do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array[
    'audit_log', 'audit_seal', 'audit_patient', 'audit_tile', 'audit_checkpoint', 'patient', 'disclosure',
    'disclosure_suspension', 'activity_review', 'activity_finding'
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

-- What was sealed and signed stays as it is, whoever asks but a superuser; for those there is the tree.
do $$
declare
  log_table text;
begin
  foreach log_table in array array['audit_seal', 'audit_patient', 'audit_tile', 'anchor_leaf', 'anchor_tile'] loop
    execute format(
      'create trigger append_only before update or delete or truncate on auricle.%I
         for each statement execute function auricle.refuse_change()', log_table);
    execute format('alter table auricle.%I enable always trigger append_only', log_table);
  end loop;
  foreach log_table in array array['audit_checkpoint', 'anchor_checkpoint'] loop
    execute format(
      'create trigger never_removed before delete or truncate on auricle.%I
         for each statement execute function auricle.refuse_change()', log_table);
    execute format('alter table auricle.%I enable always trigger never_removed', log_table);
  end loop;
end
$$;

grant select, insert on auricle.audit_log, auricle.audit_seal, auricle.audit_patient, auricle.audit_tile,
  auricle.audit_checkpoint, auricle.anchor_log, auricle.anchor_leaf, auricle.anchor_tile, auricle.anchor_checkpoint,
  auricle.log_key, auricle.log_cluster, auricle.patient, auricle.disclosure, auricle.disclosure_suspension,
  auricle.activity_review, auricle.activity_finding to :"app_role";
-- anchor_leaf.leaf_hash is generated.
grant update (size, frontier, cursor_xid, cursor_id, closed_at) on auricle.audit_log to :"app_role";
grant update (published_at) on auricle.audit_checkpoint to :"app_role";
grant update (size, frontier) on auricle.anchor_log to :"app_role";
grant update (published_at) on auricle.anchor_checkpoint to :"app_role";
grant update (retired_at) on auricle.log_key to :"app_role";
grant update (system_identifier, seen_at) on auricle.log_cluster to :"app_role";
grant update (ended_at) on auricle.disclosure_suspension to :"app_role";
grant update (signed_at, signed_by, note) on auricle.activity_review to :"app_role";
grant update (verdict) on auricle.activity_finding to :"app_role";

-- --- playing: whom the recording is about ---

drop function auricle.find_play_facts(text, text, text, text, timestamptz, boolean);
create function auricle.find_play_facts(
  p_tenant text, p_token text, p_recording text, p_role text, p_now timestamptz, p_is_use boolean
)
returns table (
  user_id text, roles text[], relations jsonb, break_glass_id text, break_glass_until timestamptz,
  purpose text, scopes text[], secret_hash bytea, verified_at timestamptz,
  recording_id text, mailbox_id text, patient_id text, labels text[], audio_state text, duration_ms bigint, role text,
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
      r.id, r.mailbox_id, r.patient_id, r.labels, r.audio_state, r.duration_ms, b.role, b.object_key, b.generation,
      b.sealed_bytes, b.plaintext_bytes,
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

-- --- across tenants ---

-- Tenants that have events which no tree holds yet, with the age of the first of them in the sequencer's order. Rows of
-- transactions that have not ended are left for later. After a restore into another cluster, rows may bear numbers of
-- transactions that are still to come there; they are never new.
create function auricle.unsealed_tenants() returns table (tenant_id text, oldest timestamptz)
language plpgsql stable as $$
declare
  v_tenant text;
  v_xid xid8;
  v_id text;
  v_oldest timestamptz;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    select l.cursor_xid, l.cursor_id into v_xid, v_id
      from auricle.audit_log l where l.tenant_id = v_tenant order by l.year desc limit 1;
    v_oldest := null;
    select e.recorded_at into v_oldest from auricle.audit_event e
      where e.tenant_id = v_tenant and (e.xid, e.id) > (coalesce(v_xid, '0'::xid8), coalesce(v_id, ''))
        and e.xid < pg_snapshot_xmax(pg_current_snapshot())
        and not exists (select from auricle.audit_seal s where s.tenant_id = v_tenant and s.event_id = e.id)
      order by e.xid, e.id limit 1;
    if v_oldest is not null then
      tenant_id := v_tenant;
      oldest := v_oldest;
      return next;
    end if;
  end loop;
end
$$;

-- The newest log of each tenant that has one, and up to where it is signed.
create function auricle.log_heads() returns table (tenant_id text, year integer, size bigint, signed_size bigint)
language plpgsql stable as $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    return query
      select l.tenant_id, l.year, l.size,
        coalesce((select max(c.size) from auricle.audit_checkpoint c
          where c.tenant_id = v_tenant and c.year = l.year), 0)
      from auricle.audit_log l where l.tenant_id = v_tenant order by l.year desc limit 1;
  end loop;
end
$$;

-- Of each log with checkpoints that are not published, the newest of them, and when the oldest was signed.
create function auricle.unpublished_checkpoints()
returns table (tenant_id text, year integer, size bigint, oldest timestamptz)
language plpgsql stable as $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    return query
      select v_tenant, c.year, max(c.size), min(c.sealed_at) from auricle.audit_checkpoint c
      where c.tenant_id = v_tenant and c.published_at is null group by c.year order by c.year;
  end loop;
end
$$;

-- The private part of an event, gone for good: its leaf commits to it by a salted hash, so every proof still holds.
create function auricle.drop_private_part(p_tenant text, p_event text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_dropped boolean;
begin
  perform set_config('auricle.tenant', p_tenant, true);
  perform set_config('auricle.dropping_private_part', 'on', true);
  update auricle.audit_event e set sealed_private = null
    where e.tenant_id = p_tenant and e.id = p_event and e.sealed_private is not null;
  v_dropped := found;
  perform set_config('auricle.dropping_private_part', '', true);
  return v_dropped;
end
$$;

-- The trigger of audit_event lets only that through; the services' role may update no column of it at all.
create function auricle.refuse_change_of_event() returns trigger language plpgsql as $$
begin
  if current_setting('auricle.dropping_private_part', true) = 'on'
    and new.sealed_private is null
    and (new.tenant_id, new.id, new.xid, new.recorded_at, new.leaf, new.late)
      = (old.tenant_id, old.id, old.xid, old.recorded_at, old.leaf, old.late)
  then
    return new;
  end if;
  raise exception 'the audit log is appended to and never changed' using errcode = 'insufficient_privilege';
end
$$;
drop trigger append_only on auricle.audit_event;
create trigger append_only before update on auricle.audit_event
  for each row execute function auricle.refuse_change_of_event();
alter table auricle.audit_event enable always trigger append_only;
create trigger never_removed before delete or truncate on auricle.audit_event
  for each statement execute function auricle.refuse_change();
alter table auricle.audit_event enable always trigger never_removed;

-- A delivery: intake, audit event (with what its writer has to say before it) and outbox row. Returns no row where it was
-- committed, and the first intake where the connector has that source already.
drop function auricle.commit_intake(
  text, text, text, bytea, bytea, text, text, bigint, bytea, timestamptz, timestamptz, text, text, bytea, bytea
);
create function auricle.commit_intake(
  p_tenant text, p_id text, p_connector text, p_source_key bytea, p_content_mac bytea, p_recording text,
  p_object_key text, p_audio_bytes bigint, p_sealed_notice bytea, p_received_at timestamptz, p_now timestamptz,
  p_event_tenant text, p_event_ids text[], p_leaves bytea[], p_sealed_privates bytea[]
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
    select p_event_tenant, e.id, e.leaf, e.private
    from unnest(p_event_ids, p_leaves, p_sealed_privates) e (id, leaf, private);
  insert into auricle.outbox (tenant_id, intake_id) values (p_tenant, p_id);
end
$$;

revoke execute on all functions in schema auricle from public;
grant execute on function auricle.find_play_facts(text, text, text, text, timestamptz, boolean),
  auricle.unsealed_tenants(), auricle.log_heads(), auricle.unpublished_checkpoints(),
  auricle.drop_private_part(text, text),
  auricle.commit_intake(
    text, text, text, bytea, bytea, text, text, bigint, bytea, timestamptz, timestamptz, text, text[], bytea[], bytea[]
  ) to :"app_role";
