-- The end of life: rules and the decisions that follow from them, legal holds, disposition with its certificates, what the
-- stores are asked to keep, reports on a schedule. What was decided keeps its row; a later decision ends it.

-- --- the tenant's own settings ---

alter table auricle.tenant
  -- The calendar by which years of keeping are counted.
  add column retention_zone text not null default 'UTC',
  -- How many people look at a disposition, besides whoever proposed it.
  add column disposition_stages smallint not null default 1 check (disposition_stages between 1 and 3),
  -- Between the last yes and the first deletion.
  add column waiting_days integer not null default 7 check (waiting_days between 1 and 365),
  -- Between the second yes to a rule that shortens and its effect.
  add column shortening_days integer not null default 30 check (shortening_days between 30 and 365),
  -- What a gibibyte costs a month, for reports; null: not stated.
  add column storage_price jsonb,
  -- Grows whenever rules change what they say; decisions made by an earlier one are made again.
  add column policy_revision bigint not null default 0;
grant update (
  retention_zone, disposition_stages, waiting_days, shortening_days, storage_price, policy_revision
) on auricle.tenant to :"app_role";

-- --- rules ---

create table auricle.retention_rule (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  name text not null,
  created_at timestamptz not null,
  created_by text collate "C", -- null: at the machine's console
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

-- A version is in force from its effective_from on, if it was approved, until a later one is. Never changed but for its
-- approval and withdrawal.
create table auricle.retention_rule_version (
  tenant_id text collate "C" not null,
  rule_id text collate "C" not null,
  version integer not null check (version > 0),
  definition jsonb, -- null: the rule ends with this version
  effect text not null check (effect in ('lengthens', 'shortens', 'same')),
  proposed_at timestamptz not null,
  proposed_by text collate "C",
  approved_at timestamptz,
  approved_by text collate "C",
  effective_from timestamptz, -- known with the approval
  withdrawn_at timestamptz,
  withdrawn_by text collate "C",
  applied_at timestamptz, -- decisions began to be made again by it
  primary key (tenant_id, rule_id, version),
  foreign key (tenant_id, rule_id) references auricle.retention_rule (tenant_id, id),
  check ((approved_at is null) = (effective_from is null)),
  -- What shortens takes two people, and time.
  check (effect <> 'shortens' or approved_at is null or (
    approved_by is not null and approved_by is distinct from proposed_by
    and effective_from >= approved_at + interval '720 hours'
  )),
  check (withdrawn_at is null or approved_at is null or withdrawn_at < effective_from)
);
create index retention_rule_version_due on auricle.retention_rule_version (effective_from)
  where approved_at is not null and applied_at is null and withdrawn_at is null;

-- --- facts that rules count from, beside those of the recording ---

alter table auricle.patient add column birth_date bytea; -- sealed: a calendar date
grant update (birth_date) on auricle.patient to :"app_role";

create table auricle.retention_event (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  kind text not null,
  patient_id text collate "C",
  recording_id text collate "C",
  at timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text collate "C",
  withdrawn_at timestamptz,
  withdrawn_by text collate "C",
  primary key (tenant_id, id),
  foreign key (tenant_id, patient_id) references auricle.patient (tenant_id, id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id),
  check ((patient_id is null) <> (recording_id is null))
);
create index retention_event_of_patient on auricle.retention_event (tenant_id, patient_id) where patient_id is not null;
create index retention_event_of_recording on auricle.retention_event (tenant_id, recording_id)
  where recording_id is not null;

-- Whether recordings are part of the designated record set (45 CFR 164.501): of a mailbox, or of one recording, which
-- goes before its mailbox's. No row: undecided.
create table auricle.record_set_decision (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  mailbox_id text collate "C",
  recording_id text collate "C",
  decision text not null check (decision in ('in', 'out', 'undecided')),
  rationale bytea not null, -- sealed
  decided_at timestamptz not null,
  decided_by text collate "C",
  superseded_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id),
  check ((mailbox_id is null) <> (recording_id is null))
);
create unique index record_set_of_mailbox on auricle.record_set_decision (tenant_id, mailbox_id)
  where superseded_at is null and mailbox_id is not null;
create unique index record_set_of_recording on auricle.record_set_decision (tenant_id, recording_id)
  where superseded_at is null and recording_id is not null;

-- --- decisions: what the rules say of each recording, and what they said before ---

create table auricle.retention_decision (
  tenant_id text collate "C" not null,
  recording_id text collate "C" not null,
  decided_at timestamptz not null,
  superseded_at timestamptz,
  revision bigint not null, -- the policy's; -1: to be made again
  -- What it is aside from time and holds. `waiting`: on the event that its rule counts from. `unruled`: no rule says when
  -- it may go. `kept`: until due_at.
  status text not null check (status in ('kept', 'undecided', 'waiting', 'unruled', 'permanent')),
  rule_id text collate "C", -- that governs; null: the tenant's minimum, or a lock from before
  rule_version integer,
  keep_until timestamptz not null, -- at least
  due_at timestamptz, -- to be destroyed from then on; null: not by itself
  disposal text not null check (disposal in ('automatic', 'review', 'none')),
  locked boolean not null, -- on the store, for good
  primary key (tenant_id, recording_id, decided_at),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id),
  check ((rule_id is null) = (rule_version is null)),
  check ((status = 'kept') = (due_at is not null)),
  check (due_at is null or due_at >= keep_until),
  check (superseded_at is null or superseded_at >= decided_at)
);
create unique index retention_decision_now on auricle.retention_decision (tenant_id, recording_id)
  where superseded_at is null;
create index retention_decision_due on auricle.retention_decision (tenant_id, due_at, recording_id)
  where superseded_at is null and due_at is not null;
create index retention_decision_undecided on auricle.retention_decision (tenant_id, keep_until, recording_id)
  where superseded_at is null and status = 'undecided';
create index retention_decision_past on auricle.retention_decision (tenant_id, superseded_at)
  where superseded_at is not null;
create index retention_decision_stale on auricle.retention_decision (tenant_id, revision, recording_id)
  where superseded_at is null;

-- --- legal holds ---

create table auricle.legal_hold (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  matter bytea not null, -- sealed: its name may be a person's
  notice bytea, -- sealed: what custodians are told
  placed_at timestamptz not null,
  placed_by text collate "C",
  released_at timestamptz,
  released_by text collate "C",
  release_reason bytea, -- sealed
  primary key (tenant_id, id),
  check ((released_at is null) = (release_reason is null))
);
create index legal_hold_active on auricle.legal_hold (tenant_id, placed_at, id) where released_at is null;

-- What a hold covers, beside recordings named by hand: all of one clause must hold, and any clause will do. Clauses are
-- added and never changed; what is null says nothing.
create table auricle.hold_clause (
  tenant_id text collate "C" not null,
  hold_id text collate "C" not null,
  number integer not null check (number > 0),
  mailbox_id text collate "C",
  patient_id text collate "C",
  from_index bytea, -- blind indexes of one number, on either side
  to_index bytea,
  kind text,
  label text,
  after_at timestamptz, -- start of the recording, inclusive
  before_at timestamptz, -- exclusive
  shown bytea not null, -- sealed: the clause as it was written
  added_at timestamptz not null,
  added_by text collate "C",
  primary key (tenant_id, hold_id, number),
  foreign key (tenant_id, hold_id) references auricle.legal_hold (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id),
  foreign key (tenant_id, patient_id) references auricle.patient (tenant_id, id),
  check ((from_index is null) = (to_index is null))
);

-- Which recordings a hold covers. Covered once, covered until the hold or the cover is released; what is covered again has
-- another row.
create table auricle.hold_cover (
  tenant_id text collate "C" not null,
  hold_id text collate "C" not null,
  recording_id text collate "C" not null,
  covered_at timestamptz not null,
  covered_by text collate "C", -- null: by a clause
  released_at timestamptz,
  released_by text collate "C", -- of this cover alone; null: with its hold
  released_after integer, -- the hold's newest clause by then: up to it, none covers the recording again
  foreign key (tenant_id, hold_id) references auricle.legal_hold (tenant_id, id),
  -- Locks the recording's row: whoever destroys it holds that lock while they look and delete.
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id),
  check ((released_at is null) = (released_after is null))
);
create unique index hold_cover_now on auricle.hold_cover (tenant_id, hold_id, recording_id) where released_at is null;
create index hold_cover_of_recording on auricle.hold_cover (tenant_id, recording_id);
create index hold_cover_of_hold on auricle.hold_cover (tenant_id, hold_id, recording_id);
create index hold_cover_active on auricle.hold_cover (tenant_id, recording_id) where released_at is null;

create table auricle.hold_custodian (
  tenant_id text collate "C" not null,
  hold_id text collate "C" not null,
  user_id text collate "C" not null,
  added_at timestamptz not null,
  added_by text collate "C",
  acknowledged_at timestamptz,
  primary key (tenant_id, hold_id, user_id),
  foreign key (tenant_id, hold_id) references auricle.legal_hold (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);
create index hold_custodian_of_user on auricle.hold_custodian (tenant_id, user_id) where acknowledged_at is null;

-- --- disposition ---

create table auricle.disposition (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  state text not null check (state in ('proposed', 'waiting', 'destroying', 'done', 'rejected', 'cancelled')),
  kind text not null check (kind in ('automatic', 'review')),
  proposed_at timestamptz not null,
  proposed_by text collate "C", -- null: by the vault
  stages smallint not null check (stages between 0 and 3), -- 0: automatic, by a rule that two people stand behind
  ready_at timestamptz, -- when its waiting ends
  ended_at timestamptz,
  ended_by text collate "C", -- of a rejection or cancellation
  primary key (tenant_id, id),
  check ((kind = 'automatic') = (stages = 0)),
  check (state not in ('waiting', 'destroying', 'done') or ready_at is not null)
);
create index disposition_open on auricle.disposition (tenant_id, state, ready_at)
  where state in ('proposed', 'waiting', 'destroying');

create table auricle.disposition_review (
  tenant_id text collate "C" not null,
  disposition_id text collate "C" not null,
  stage smallint not null check (stage > 0),
  reviewed_by text collate "C" not null,
  reviewed_at timestamptz not null,
  verdict text not null check (verdict in ('approve', 'reject')),
  note bytea, -- sealed
  primary key (tenant_id, disposition_id, stage),
  unique (tenant_id, disposition_id, reviewed_by), -- different people
  foreign key (tenant_id, disposition_id) references auricle.disposition (tenant_id, id)
);

create table auricle.disposition_item (
  tenant_id text collate "C" not null,
  disposition_id text collate "C" not null,
  recording_id text collate "C" not null,
  -- `kept`: taken out, by a reviewer or since something keeps it again. `stopped`: destruction had begun when a hold came.
  state text not null check (state in ('listed', 'destroying', 'destroyed', 'kept', 'stopped')),
  reason text, -- a stable word: why it was kept or stopped, or what failed last
  rule_id text collate "C" not null,
  rule_version integer not null,
  keep_until timestamptz not null,
  due_at timestamptz not null,
  changed_at timestamptz not null,
  attempts integer not null default 0,
  first_failed_at timestamptz,
  -- Objects that no row knows, noted before they are deleted: a run that dies then leaves nothing else to tell of them.
  found jsonb not null default '[]',
  next_attempt_at timestamptz,
  primary key (tenant_id, disposition_id, recording_id),
  foreign key (tenant_id, disposition_id) references auricle.disposition (tenant_id, id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id)
);
-- A recording is in one disposition at a time.
create unique index disposition_item_open on auricle.disposition_item (tenant_id, recording_id)
  where state in ('listed', 'destroying');
create index disposition_item_of_recording on auricle.disposition_item (tenant_id, recording_id);
create index disposition_item_destroyed on auricle.disposition_item (tenant_id, changed_at, recording_id)
  where state = 'destroyed';
-- What a person took out stays out until somebody proposes it, or the rules say something else.
create index disposition_item_kept on auricle.disposition_item (tenant_id, recording_id, changed_at)
  where state = 'kept';

alter table auricle.recording
  alter column source_id drop not null,
  add column destroying_at timestamptz, -- from then on nobody is shown or played it
  add column destroyed_at timestamptz,
  add constraint source_known check (source_id is not null or destroyed_at is not null),
  add constraint destroyed_is_empty check (
    destroyed_at is null
    or (destroying_at is not null and num_nonnulls(source_id, from_number, from_name, to_number, patient_reference, note,
      from_index, to_index) = 0)
  );
-- What a report counts: the sealed bytes of all its objects, and since when all of them have their copy.
alter table auricle.recording
  add column stored_bytes bigint not null default 0,
  add column copied_at timestamptz;
grant update (copied_at) on auricle.recording to :"app_role";
create index recording_destroyed on auricle.recording (tenant_id, destroyed_at, id) where destroyed_at is not null;

alter table auricle.intake
  alter column sealed_notice drop not null,
  add column emptied_at timestamptz,
  add constraint notice_known check ((sealed_notice is null) = (emptied_at is not null));

-- Every object that was deleted, of every store, and until when whoever runs the store can bring it back.
create table auricle.destroyed_object (
  tenant_id text collate "C" not null,
  recording_id text collate "C" not null,
  store text not null check (store in ('primary', 'recovery')),
  object_key text not null,
  generation text not null,
  role text not null,
  sealed_bytes bigint not null,
  destroyed_at timestamptz not null,
  restorable_until timestamptz, -- null: not at all
  primary key (tenant_id, recording_id, store, object_key, generation),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id)
);

create table auricle.certificate (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  recording_id text collate "C" not null,
  disposition_id text collate "C" not null,
  event_id text collate "C" not null, -- recording.disposed
  claims jsonb not null, -- what it will say, but for the proof
  last_copy_at timestamptz not null, -- the last copy that anybody still holds is gone then
  jws text, -- null until its event is in a published log
  issued_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, recording_id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id),
  foreign key (tenant_id, disposition_id) references auricle.disposition (tenant_id, id),
  check ((jws is null) = (issued_at is null))
);
create index certificate_unissued on auricle.certificate (tenant_id, id) where jws is null;

-- --- what the stores keep ---

alter table auricle.recording_object
  -- What the store was last known to keep it by: until when, and whether a hold is on it.
  add column store_until timestamptz,
  add column store_held boolean not null default false,
  add column recovery_until timestamptz,
  add column recovery_held boolean not null default false,
  add column destroyed_at timestamptz;

-- What there should be, beside what there is: lists of stores come by key.
create index recording_object_key on auricle.recording_object (tenant_id, object_key collate "C");

-- Recordings whose objects have to follow what was decided. A row is there while there is something to do.
create table auricle.store_work (
  tenant_id text collate "C" not null,
  recording_id text collate "C" not null,
  due_at timestamptz not null,
  asked_at timestamptz not null,
  attempts integer not null default 0,
  error text, -- a stable word
  primary key (tenant_id, recording_id),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id)
);
create index store_work_due on auricle.store_work (due_at, tenant_id, recording_id);

create table auricle.drift_run (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  recordings bigint not null default 0,
  objects bigint not null default 0,
  counts jsonb not null default '{}', -- findings by kind
  primary key (tenant_id, id)
);
create index drift_run_newest on auricle.drift_run (tenant_id, started_at desc);

create table auricle.drift_finding (
  tenant_id text collate "C" not null,
  run_id text collate "C" not null,
  number integer not null check (number > 0),
  kind text not null,
  store text not null check (store in ('primary', 'recovery')),
  recording_id text collate "C",
  object_key text not null,
  mended boolean not null,
  primary key (tenant_id, run_id, number),
  foreign key (tenant_id, run_id) references auricle.drift_run (tenant_id, id)
);

-- --- reports on a schedule ---

create table auricle.report_schedule (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  name text not null,
  sections text[] not null,
  formats text[] not null,
  every text not null check (every in ('day', 'week', 'month')),
  mail_to text[] not null default '{}',
  to_store boolean not null,
  next_run_at timestamptz not null,
  created_at timestamptz not null,
  created_by text collate "C",
  ended_at timestamptz,
  ended_by text collate "C",
  primary key (tenant_id, id)
);
create index report_schedule_due on auricle.report_schedule (next_run_at) where ended_at is null;

create table auricle.report_run (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  schedule_id text collate "C" not null,
  as_of timestamptz not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text check (outcome in ('sent', 'failed')),
  error text, -- a stable word
  stored jsonb not null default '[]', -- keys and SHA-256 of what was stored
  attempts integer not null default 0,
  primary key (tenant_id, id),
  unique (tenant_id, schedule_id, as_of),
  foreign key (tenant_id, schedule_id) references auricle.report_schedule (tenant_id, id)
);

-- --- row security, rights ---

do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array[
    'retention_rule', 'retention_rule_version', 'retention_event', 'record_set_decision', 'retention_decision',
    'legal_hold', 'hold_clause', 'hold_cover', 'hold_custodian', 'disposition', 'disposition_review', 'disposition_item',
    'destroyed_object', 'certificate', 'store_work', 'drift_run', 'drift_finding', 'report_schedule', 'report_run'
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

grant select, insert on auricle.retention_rule, auricle.retention_rule_version, auricle.retention_event,
  auricle.record_set_decision, auricle.retention_decision, auricle.legal_hold, auricle.hold_clause, auricle.hold_cover,
  auricle.hold_custodian, auricle.disposition, auricle.disposition_review, auricle.disposition_item,
  auricle.destroyed_object, auricle.certificate, auricle.store_work, auricle.drift_run, auricle.drift_finding,
  auricle.report_schedule, auricle.report_run to :"app_role";
grant update (approved_at, approved_by, effective_from, withdrawn_at, withdrawn_by, applied_at)
  on auricle.retention_rule_version to :"app_role";
grant update (withdrawn_at, withdrawn_by) on auricle.retention_event to :"app_role";
grant update (superseded_at) on auricle.record_set_decision to :"app_role";
grant update (superseded_at, revision) on auricle.retention_decision to :"app_role";
grant update (released_at, released_by, release_reason) on auricle.legal_hold to :"app_role";
grant update (released_at, released_by, released_after) on auricle.hold_cover to :"app_role";
grant update (acknowledged_at) on auricle.hold_custodian to :"app_role";
grant update (state, ready_at, ended_at, ended_by) on auricle.disposition to :"app_role";
grant update (state, reason, changed_at, attempts, first_failed_at, found, next_attempt_at) on auricle.disposition_item to :"app_role";
grant update (jws, issued_at) on auricle.certificate to :"app_role";
grant update (store_until, store_held, recovery_until, recovery_held) on auricle.recording_object to :"app_role";
grant update (due_at, asked_at, attempts, error), delete on auricle.store_work to :"app_role";
grant update (ended_at, recordings, objects, counts) on auricle.drift_run to :"app_role";
grant update (next_run_at, ended_at, ended_by) on auricle.report_schedule to :"app_role";
grant update (ended_at, outcome, error, stored, attempts) on auricle.report_run to :"app_role";

-- --- decisions: facts that they rest on do not change between the look at them and what is written ---

-- Taken by whoever decides what the rules say; many at once. Ends with the transaction. Before the lock of holds.
create function auricle.share_decisions(p_tenant text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock_shared(hashtextextended('auricle.decisions/' || p_tenant, 0))
$$;

-- Taken by whoever marks decisions to be made again, before they do; alone. A decision that is being made ends first, so
-- that its new row is marked too; one that begins then knows the facts that changed.
create function auricle.lock_decisions(p_tenant text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('auricle.decisions/' || p_tenant, 0))
$$;

-- --- holds: one lock a tenant, so that none is placed between a look and what follows from it ---

-- Taken by whoever archives, relabels or destroys; many at once. Ends with the transaction.
create function auricle.share_holds(p_tenant text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock_shared(hashtextextended('auricle.holds/' || p_tenant, 0))
$$;

-- Taken by whoever places, extends or releases a hold; alone.
create function auricle.lock_holds(p_tenant text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('auricle.holds/' || p_tenant, 0))
$$;

create function auricle.clause_covers(c auricle.hold_clause, r auricle.recording) returns boolean
language sql immutable as $$
  select coalesce(
    (c.mailbox_id is null or c.mailbox_id = r.mailbox_id)
      and (c.patient_id is null or c.patient_id = r.patient_id)
      and (c.from_index is null or c.from_index = r.from_index or c.to_index = r.to_index)
      and (c.kind is null or c.kind = r.kind)
      and (c.label is null or c.label = any (r.labels))
      and (c.after_at is null or r.started_at >= c.after_at)
      and (c.before_at is null or r.started_at < c.before_at),
    false
  )
$$;

-- A recording that is new, or of which something changed that clauses ask for. Returns how many holds it came under. Whoever
-- locks its row for update takes `share_holds` before.
create function auricle.cover_recording(p_tenant text, p_recording text, p_now timestamptz) returns integer
language plpgsql as $$
declare
  v_count integer;
begin
  perform auricle.share_holds(p_tenant);
  insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at)
    select distinct c.tenant_id, c.hold_id, r.id, p_now
    from auricle.legal_hold h
    join auricle.hold_clause c on c.tenant_id = h.tenant_id and c.hold_id = h.id
    join auricle.recording r on r.tenant_id = h.tenant_id and r.id = p_recording
    where h.tenant_id = p_tenant and h.released_at is null and r.destroyed_at is null and auricle.clause_covers(c, r)
      and not exists (
        select from auricle.hold_cover x
        where x.tenant_id = c.tenant_id and x.hold_id = c.hold_id and x.recording_id = r.id
          and (x.released_at is null or x.released_after >= c.number)
      )
  on conflict do nothing;
  get diagnostics v_count = row_count;
  if v_count > 0 then perform auricle.ask_store(p_tenant, p_recording, p_now); end if;
  return v_count;
end
$$;

-- What an active hold's clauses cover by now. Returns how many recordings came under it. The caller has `lock_holds`.
create function auricle.cover_by_clauses(p_tenant text, p_hold text, p_now timestamptz) returns bigint
language plpgsql as $$
declare
  v_count bigint;
begin
  with covered as (
    insert into auricle.hold_cover (tenant_id, hold_id, recording_id, covered_at)
      select distinct c.tenant_id, c.hold_id, r.id, p_now
      from auricle.legal_hold h
      join auricle.hold_clause c on c.tenant_id = h.tenant_id and c.hold_id = h.id
      join auricle.recording r on r.tenant_id = c.tenant_id and r.destroyed_at is null and auricle.clause_covers(c, r)
      where h.tenant_id = p_tenant and h.id = p_hold and h.released_at is null
        and not exists (
          select from auricle.hold_cover x
          where x.tenant_id = c.tenant_id and x.hold_id = c.hold_id and x.recording_id = r.id
            and (x.released_at is null or x.released_after >= c.number)
        )
    on conflict do nothing
    returning recording_id
  ), asked as (
    insert into auricle.store_work (tenant_id, recording_id, due_at, asked_at)
      select p_tenant, recording_id, p_now, p_now from covered order by recording_id
    on conflict (tenant_id, recording_id) do update set due_at = excluded.due_at, asked_at = excluded.asked_at, error = null
  )
  select count(*) into v_count from covered;
  return v_count;
end
$$;

-- The objects of a recording have to follow what was decided.
create function auricle.ask_store(p_tenant text, p_recording text, p_now timestamptz) returns void
language sql volatile as $$
  insert into auricle.store_work (tenant_id, recording_id, due_at, asked_at) values (p_tenant, p_recording, p_now, p_now)
  on conflict (tenant_id, recording_id) do update set due_at = excluded.due_at, asked_at = excluded.asked_at, error = null
$$;

-- --- destruction: the only ways to write what marks and empties a recording, and they look for themselves ---

-- Whether nothing stands against it, as far as the database alone can tell. Locks the recording, its decision and the
-- tenant's policy until the transaction ends: a hold that comes meanwhile waits, and finds it gone or itself too late for
-- what was deleted by then; so does a rule, or a fact that rules count from.
create function auricle.refuses_destruction(p_tenant text, p_recording text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_decision auricle.retention_decision;
  v_kind text;
  v_revision bigint;
begin
  if current_setting('auricle.tenant', true) is distinct from p_tenant then return 'absent'; end if;
  perform auricle.share_holds(p_tenant);
  perform from auricle.recording r where r.tenant_id = p_tenant and r.id = p_recording for update;
  if not found then return 'absent'; end if;
  -- Holds cover by now what they ask for, also where whoever changed it did not say so.
  perform auricle.cover_recording(p_tenant, p_recording, p_now);
  if exists (
    select from auricle.hold_cover c
    join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
    where c.tenant_id = p_tenant and c.recording_id = p_recording and c.released_at is null
  ) then return 'held'; end if;
  -- Nobody knows yet whose it is: it may be the patient's whom a hold is about.
  if exists (
    select from auricle.recording r
    join auricle.hold_clause c on c.tenant_id = r.tenant_id and c.patient_id is not null
    join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id and h.released_at is null
    where r.tenant_id = p_tenant and r.id = p_recording and r.patient_id is null and r.patient_reference is not null
  ) then return 'held'; end if;
  select d.kind into v_kind from auricle.disposition_item i
    join auricle.disposition d on d.tenant_id = i.tenant_id and d.id = i.disposition_id
    where i.tenant_id = p_tenant and i.recording_id = p_recording and i.state in ('listed', 'destroying')
      and d.state in ('waiting', 'destroying') and d.ready_at <= p_now
      and (d.kind = 'automatic' or (
        select count(*) from auricle.disposition_review v
        where v.tenant_id = d.tenant_id and v.disposition_id = d.id and v.verdict = 'approve'
          and v.reviewed_by is distinct from d.proposed_by
      ) >= d.stages);
  if not found then return 'unapproved'; end if;
  select n.* into v_decision from auricle.retention_decision n
    where n.tenant_id = p_tenant and n.recording_id = p_recording and n.superseded_at is null for share;
  if not found then return 'undecided'; end if;
  select t.policy_revision into v_revision from auricle.tenant t where t.id = p_tenant for share;
  -- Made by rules, or from facts, that are no longer those: to be made again first.
  if v_decision.revision <> v_revision then return 'stale'; end if;
  if v_decision.status <> 'kept' then return v_decision.status; end if;
  if v_decision.keep_until > p_now or v_decision.due_at > p_now then return 'kept'; end if;
  if v_kind = 'automatic' and v_decision.disposal <> 'automatic' then return 'unapproved'; end if;
  return null;
end
$$;

-- Null where it is marked (by now, or before); else why not.
create function auricle.begin_destruction(p_tenant text, p_recording text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_refusal text;
  v_item auricle.disposition_item;
  v_proposed_at timestamptz;
begin
  if current_setting('auricle.tenant', true) is distinct from p_tenant then return 'absent'; end if;
  -- The disposition before the recording, as whoever reviews or cancels it does.
  perform from auricle.disposition d
    where d.tenant_id = p_tenant and d.id in (
      select i.disposition_id from auricle.disposition_item i
      where i.tenant_id = p_tenant and i.recording_id = p_recording and i.state in ('listed', 'destroying')
    ) for update;
  v_refusal := auricle.refuses_destruction(p_tenant, p_recording, p_now);
  if v_refusal is not null then return v_refusal; end if;
  select i.* into v_item from auricle.disposition_item i
    where i.tenant_id = p_tenant and i.recording_id = p_recording and i.state in ('listed', 'destroying');
  if v_item.state = 'destroying' then return null; end if;
  select d.proposed_at into v_proposed_at from auricle.disposition d
    where d.tenant_id = p_tenant and d.id = v_item.disposition_id;
  -- A hold that came and went since starts nothing again: what it covered has to be proposed anew.
  if exists (
    select from auricle.hold_cover c
    join auricle.legal_hold h on h.tenant_id = c.tenant_id and h.id = c.hold_id
    where c.tenant_id = p_tenant and c.recording_id = p_recording
      and least(c.released_at, h.released_at) > v_proposed_at
  ) then return 'held'; end if;
  -- Those who said yes saw another version of the rule.
  if exists (
    select from auricle.retention_decision n
    where n.tenant_id = p_tenant and n.recording_id = p_recording and n.superseded_at is null
      and (n.rule_id, n.rule_version) is distinct from (v_item.rule_id, v_item.rule_version) and n.rule_id is not null
  ) then return 'rule_changed'; end if;
  update auricle.recording r set destroying_at = coalesce(r.destroying_at, p_now)
    where r.tenant_id = p_tenant and r.id = p_recording;
  update auricle.disposition_item i set state = 'destroying', reason = null, changed_at = p_now
    where i.tenant_id = p_tenant and i.disposition_id = v_item.disposition_id and i.recording_id = p_recording;
  update auricle.disposition d set state = 'destroying'
    where d.tenant_id = p_tenant and d.id = v_item.disposition_id and d.state = 'waiting';
  return null;
end
$$;

-- Something came in between, such as a hold: what is left of it is there again for whoever may see it.
create function auricle.stop_destruction(p_tenant text, p_recording text, p_reason text, p_now timestamptz)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('auricle.tenant', true) is distinct from p_tenant then return; end if;
  update auricle.disposition_item i set state = 'stopped', reason = p_reason, changed_at = p_now
    where i.tenant_id = p_tenant and i.recording_id = p_recording and i.state = 'destroying';
  if not found then return; end if;
  update auricle.recording r set destroying_at = null
    where r.tenant_id = p_tenant and r.id = p_recording and r.destroyed_at is null;
  update auricle.recording_object o set destroyed_at = d.destroyed_at
    from auricle.destroyed_object d
    where o.tenant_id = p_tenant and o.recording_id = p_recording and o.destroyed_at is null
      and d.tenant_id = p_tenant and d.recording_id = p_recording and d.store = 'primary'
      and d.object_key = o.object_key and d.generation = o.generation;
end
$$;

-- After its objects: takes away what is sealed of it, wraps and notice included. Null where it is done; else why not.
create function auricle.end_destruction(p_tenant text, p_recording text, p_now timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_refusal text;
begin
  if current_setting('auricle.tenant', true) is distinct from p_tenant then return 'absent'; end if;
  v_refusal := auricle.refuses_destruction(p_tenant, p_recording, p_now);
  if exists (
    select from auricle.recording r where r.tenant_id = p_tenant and r.id = p_recording and r.destroyed_at is not null
  ) then return null; end if;
  if v_refusal is not null then return v_refusal; end if;
  if exists (
    select from auricle.recording_object o
    where o.tenant_id = p_tenant and o.recording_id = p_recording and not exists (
      select from auricle.destroyed_object d
      where d.tenant_id = p_tenant and d.recording_id = p_recording and d.store = 'primary'
        and d.object_key = o.object_key and d.generation = o.generation
    )
  ) or exists (
    select from auricle.recording_object o
    where o.tenant_id = p_tenant and o.recording_id = p_recording and o.recovery_generation is not null and not exists (
      select from auricle.destroyed_object d
      where d.tenant_id = p_tenant and d.recording_id = p_recording and d.store = 'recovery'
        and d.object_key = o.object_key and d.generation = o.recovery_generation
    )
  ) then return 'objects_left'; end if;
  update auricle.recording_object o set wrap = null, destroyed_at = coalesce(o.destroyed_at, p_now)
    where o.tenant_id = p_tenant and o.recording_id = p_recording;
  update auricle.recording r set destroyed_at = p_now, source_id = null, from_number = null, from_name = null,
      to_number = null, patient_reference = null, note = null, from_index = null, to_index = null
    where r.tenant_id = p_tenant and r.id = p_recording and r.destroying_at is not null;
  if not found then return 'not_begun'; end if;
  update auricle.intake i set sealed_notice = null, content_mac = null, emptied_at = p_now
    where i.tenant_id = p_tenant and i.recording_id = p_recording;
  update auricle.disposition_item i set state = 'destroyed', changed_at = p_now
    where i.tenant_id = p_tenant and i.recording_id = p_recording and i.state = 'destroying';
  -- Nothing is left to decide, so that what looks for what is due does not meet it for ever.
  update auricle.retention_decision n set superseded_at = greatest(p_now, n.decided_at)
    where n.tenant_id = p_tenant and n.recording_id = p_recording and n.superseded_at is null;
  delete from auricle.store_work w where w.tenant_id = p_tenant and w.recording_id = p_recording;
  return null;
end
$$;

-- --- across tenants ---

create policy directory on auricle.store_work to current_user using (true);
create policy directory on auricle.retention_rule_version for select to current_user using (true);
create policy directory on auricle.report_schedule for select to current_user using (true);
create policy directory on auricle.retention_decision for select to current_user using (true);

-- Takes work for so long that nobody else takes it meanwhile.
create function auricle.take_store_work(p_now timestamptz, p_lease interval, p_limit integer)
returns table (tenant_id text, recording_id text, asked_at timestamptz, attempts integer)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update auricle.store_work w set due_at = p_now + p_lease
  from (
    select s.tenant_id, s.recording_id from auricle.store_work s where s.due_at <= p_now
    order by s.due_at, s.tenant_id, s.recording_id limit p_limit for update skip locked
  ) t
  where w.tenant_id = t.tenant_id and w.recording_id = t.recording_id
  returning w.tenant_id, w.recording_id, w.asked_at, w.attempts
$$;

create function auricle.store_backlog() returns table (recordings bigint, failing bigint, asked_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*), count(*) filter (where w.error is not null), min(w.asked_at) from auricle.store_work w
$$;

-- Tenants with a version of a rule whose time has come.
create function auricle.tenants_with_due_rules(p_now timestamptz) returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select distinct v.tenant_id from auricle.retention_rule_version v
  where v.approved_at is not null and v.applied_at is null and v.withdrawn_at is null and v.effective_from <= p_now
$$;

-- Tenants with a decision that is to be made again.
create function auricle.tenants_with_stale_decisions() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.id from auricle.tenant t
  where exists (
    select from auricle.retention_decision d
    where d.tenant_id = t.id and d.superseded_at is null and d.revision < t.policy_revision
  )
$$;

create function auricle.due_report_schedules(p_now timestamptz, p_limit integer) returns table (tenant_id text, id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select s.tenant_id, s.id from auricle.report_schedule s where s.ended_at is null and s.next_run_at <= p_now
  order by s.next_run_at, s.id limit p_limit
$$;

-- --- what is there already: kept as it was, to be decided by the rules when there are any ---

do $$
declare
  v_tenant text;
begin
  for v_tenant in select auricle.tenant_ids() loop
    perform set_config('auricle.tenant', v_tenant, true);
    insert into auricle.retention_decision (
      tenant_id, recording_id, decided_at, revision, status, keep_until, disposal, locked
    )
    select r.tenant_id, r.id, r.archived_at, -1, 'unruled', r.retain_until, 'none', true from auricle.recording r;
    update auricle.recording r set stored_bytes = o.bytes, copied_at = o.copied_at
    from (
      select o.tenant_id, o.recording_id, sum(o.sealed_bytes) as bytes,
        case when bool_and(o.replicated_at is not null) then max(o.replicated_at) end as copied_at
      from auricle.recording_object o group by o.tenant_id, o.recording_id
    ) o
    where o.tenant_id = r.tenant_id and o.recording_id = r.id;
  end loop;
  perform set_config('auricle.tenant', '', true);
end
$$;

-- What is destroyed owes no copy.
drop index auricle.recording_object_unreplicated;
create index recording_object_unreplicated
  on auricle.recording_object (replication_due_at, tenant_id, recording_id) include (replication_owed_at, replication_error)
  where replicated_at is null and destroyed_at is null;
create or replace function auricle.unreplicated_recordings(p_before timestamptz, p_now timestamptz, p_limit integer)
returns table (tenant_id text, recording_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select o.tenant_id, o.recording_id from (
    select b.tenant_id, b.recording_id, b.replication_due_at from auricle.recording_object b
    where b.replicated_at is null and b.destroyed_at is null and b.replication_due_at <= p_now
      and b.replication_owed_at < p_before
    order by b.replication_due_at, b.tenant_id, b.recording_id
    limit p_limit * 3
  ) o
  group by o.tenant_id, o.recording_id
  order by min(o.replication_due_at), o.tenant_id, o.recording_id
  limit p_limit
$$;

create or replace function auricle.replication_backlog()
returns table (objects bigint, damaged bigint, owed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*), count(*) filter (where o.replication_error = 'damaged'), min(o.replication_owed_at)
  from auricle.recording_object o where o.replicated_at is null and o.destroyed_at is null
$$;

-- What is destroyed is nobody's to play.
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
    left join auricle.recording r on r.tenant_id = p_tenant and r.id = p_recording and r.destroying_at is null
    left join auricle.recording_object b on b.tenant_id = p_tenant and b.recording_id = r.id and b.role = p_role
      and b.destroyed_at is null
    -- Of a recording without a mailbox nobody has a relation: the empty id is no mailbox's.
    cross join lateral auricle.access_facts(p_tenant, u.id, coalesce(r.mailbox_id, ''), p_now) a
    where t.tenant_id = p_tenant and t.id = p_token and auricle.holds(t, p_now) and u.disabled_at is null;
end
$$;

revoke execute on all functions in schema auricle from public;
grant execute on function auricle.share_decisions(text), auricle.lock_decisions(text),
  auricle.share_holds(text), auricle.lock_holds(text),
  auricle.cover_recording(text, text, timestamptz), auricle.cover_by_clauses(text, text, timestamptz),
  auricle.clause_covers(auricle.hold_clause, auricle.recording), auricle.ask_store(text, text, timestamptz),
  auricle.refuses_destruction(text, text, timestamptz), auricle.begin_destruction(text, text, timestamptz),
  auricle.stop_destruction(text, text, text, timestamptz), auricle.end_destruction(text, text, timestamptz),
  auricle.take_store_work(timestamptz, interval, integer), auricle.store_backlog(),
  auricle.tenants_with_due_rules(timestamptz), auricle.tenants_with_stale_decisions(),
  auricle.due_report_schedules(timestamptz, integer),
  auricle.find_play_facts(text, text, text, text, timestamptz, boolean) to :"app_role";
