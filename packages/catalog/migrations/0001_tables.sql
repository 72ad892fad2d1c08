-- The rows of the vault. Every table with a tenant_id belongs to tenants row by row (0002_row_security.sql).
-- Ids are kept as their text form, in byte order. Columns of type bytea that the comments call sealed hold nothing that
-- reads without the tenant's column keys (docs/catalog.md).

create table auricle.tenant (
  id text collate "C" primary key check (id ^@ 'ten_'),
  slug text collate "C" not null unique,
  name text not null,
  keep_days integer not null check (keep_days >= 0),
  column_secret jsonb not null,
  created_at timestamptz not null
);

create table auricle.app_user (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  login text collate "C" not null,
  name text not null,
  roles text[] not null,
  password_hash text not null,
  totp_secret bytea not null, -- sealed
  totp_last_step bigint,
  failed_attempts integer not null default 0,
  locked_until timestamptz,
  created_at timestamptz not null,
  disabled_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, login)
);

create table auricle.mailbox (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null,
  address text collate "C" not null,
  name text not null,
  primary key (tenant_id, id),
  unique (tenant_id, address)
);

create table auricle.mailbox_owner (
  tenant_id text collate "C" not null,
  mailbox_id text collate "C" not null,
  user_id text collate "C" not null,
  primary key (tenant_id, mailbox_id, user_id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);
create index mailbox_owner_by_user on auricle.mailbox_owner (tenant_id, user_id);

create table auricle.connector (
  tenant_id text collate "C" not null references auricle.tenant (id),
  id text collate "C" not null unique, -- a PBX names its connector and no tenant
  kind text not null,
  name text not null,
  default_mailbox_id text collate "C",
  max_bytes bigint not null check (max_bytes > 0),
  idle_timeout_ms integer not null check (idle_timeout_ms > 0),
  allowed_hosts jsonb not null,
  sealed_secrets bytea not null, -- sealed object
  created_at timestamptz not null,
  disabled_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, default_mailbox_id) references auricle.mailbox (tenant_id, id)
);

create table auricle.token (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  user_id text collate "C" not null,
  purpose text not null check (purpose in ('session', 'program')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references auricle.app_user (tenant_id, id)
);

-- No foreign key to the connector: each would lock the connector's one row for every delivery. commit_intake looks
-- instead, and connectors are never deleted.
create table auricle.intake (
  tenant_id text collate "C" not null check (tenant_id ^@ 'ten_'),
  id text collate "C" not null,
  connector_id text collate "C" not null,
  source_key bytea not null,
  content_mac bytea,
  recording_id text collate "C" not null,
  state text not null check (state in ('received', 'archived', 'quarantined')),
  object_key text,
  audio_bytes bigint check (audio_bytes >= 0),
  sealed_notice bytea not null, -- sealed object
  received_at timestamptz not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  last_error_code text,
  touched_at timestamptz not null,
  primary key (tenant_id, id),
  unique (tenant_id, connector_id, source_key),
  unique (tenant_id, recording_id)
);
create index intake_by_state on auricle.intake (tenant_id, state, received_at, id) where state <> 'archived';
create index intake_waiting on auricle.intake (touched_at, id) where state = 'received';

create table auricle.recording (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  connector_id text collate "C" not null,
  intake_id text collate "C" not null,
  mailbox_id text collate "C",
  kind text not null check (kind in ('voicemail', 'recording')),
  direction text check (direction in ('inbound', 'outbound', 'internal')),
  source_id bytea not null, -- sealed
  from_number bytea, -- sealed
  from_name bytea, -- sealed
  to_number bytea, -- sealed
  patient_reference bytea, -- sealed
  note bytea, -- sealed
  from_index bytea, -- blind index of from_number
  to_index bytea, -- blind index of to_number
  started_at timestamptz not null,
  received_at timestamptz not null,
  archived_at timestamptz not null,
  duration_ms bigint check (duration_ms >= 0),
  channels integer,
  codec text,
  audio_state text not null check (audio_state in ('ready', 'original-only', 'undecodable')),
  retain_until timestamptz not null,
  heard_at timestamptz,
  heard_by text collate "C",
  primary key (tenant_id, id),
  unique (tenant_id, intake_id),
  foreign key (tenant_id, connector_id) references auricle.connector (tenant_id, id),
  foreign key (tenant_id, intake_id) references auricle.intake (tenant_id, id),
  foreign key (tenant_id, mailbox_id) references auricle.mailbox (tenant_id, id),
  foreign key (tenant_id, heard_by) references auricle.app_user (tenant_id, id),
  check ((heard_at is null) = (heard_by is null))
);
create index recording_newest on auricle.recording (tenant_id, started_at desc, id desc);
create index recording_newest_in_mailbox on auricle.recording (tenant_id, mailbox_id, started_at desc, id desc);
create index recording_unheard_in_mailbox on auricle.recording (tenant_id, mailbox_id, started_at desc, id desc)
  where heard_at is null;
create index recording_from on auricle.recording (tenant_id, from_index) where from_index is not null;
create index recording_to on auricle.recording (tenant_id, to_index) where to_index is not null;

create table auricle.recording_object (
  tenant_id text collate "C" not null,
  recording_id text collate "C" not null,
  role text not null check (role in ('original', 'playback', 'peaks')),
  object_key text not null,
  generation text not null,
  sealed_bytes bigint not null check (sealed_bytes >= 0),
  plaintext_bytes bigint not null check (plaintext_bytes >= 0),
  content_type text not null,
  fingerprint bytea not null,
  wrap jsonb,
  primary key (tenant_id, recording_id, role),
  foreign key (tenant_id, recording_id) references auricle.recording (tenant_id, id)
);

-- What still has to reach the queue. Rows live for moments, so vacuum is told not to wait for a fifth of the table.
create table auricle.outbox (
  id bigint generated always as identity primary key,
  tenant_id text collate "C" not null check (tenant_id ^@ 'ten_'),
  intake_id text collate "C" not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The log. Appended to and never changed; the hash is that of a Merkle tree's leaf (RFC 6962, 2.1).
create table auricle.audit_event (
  tenant_id text collate "C" not null check (tenant_id ^@ 'ten_'),
  id text collate "C" not null,
  xid xid8 not null default pg_current_xact_id(),
  recorded_at timestamptz not null default clock_timestamp(),
  leaf bytea not null,
  leaf_hash bytea not null generated always as (sha256('\x00'::bytea || leaf)) stored,
  sealed_private bytea, -- sealed object
  primary key (tenant_id, id)
);

-- Keys that sign tokens: the deployment's, not a tenant's. At most one is unretired.
create table auricle.signing_key (
  kid text collate "C" primary key,
  public_jwk jsonb not null,
  sealed_private_jwk bytea not null, -- sealed object
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index signing_key_current on auricle.signing_key ((true)) where retired_at is null;
