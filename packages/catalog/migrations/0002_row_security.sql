-- Who may see and write which row, and what the role of the services may do at all.
--
-- The tenant of a transaction is its setting auricle.tenant. Unset it is null, and after a transaction that set it
-- the empty string: neither equals any tenant's id, so a query that forgets its tenant sees and writes nothing.

alter table auricle.tenant enable row level security;
alter table auricle.tenant force row level security;
create policy own_tenant on auricle.tenant
  using (id = current_setting('auricle.tenant', true))
  with check (id = current_setting('auricle.tenant', true));

do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array[
    'app_user', 'mailbox', 'mailbox_owner', 'connector', 'token', 'intake', 'recording', 'recording_object', 'outbox',
    'audit_event'
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

-- The directory functions below run as the schema's owner, who may look across tenants in these tables only.
create policy directory on auricle.tenant for select to current_user using (true);
create policy directory on auricle.connector for select to current_user using (true);
create policy directory on auricle.intake for select to current_user using (true);
create policy directory on auricle.outbox to current_user using (true);

-- The log refuses every change, also to its owner and in replica mode.
create function auricle.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the log is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger append_only before update or delete or truncate on auricle.audit_event
  for each statement execute function auricle.refuse_change();
alter table auricle.audit_event enable always trigger append_only;

revoke all on schema auricle from public;
grant usage on schema auricle to :"app_role";
grant select on auricle.migration to :"app_role";
grant select, insert on auricle.tenant to :"app_role";
grant select, insert on auricle.app_user to :"app_role";
grant update (totp_last_step, failed_attempts, locked_until) on auricle.app_user to :"app_role";
grant select, insert on auricle.mailbox to :"app_role";
grant select, insert on auricle.mailbox_owner to :"app_role";
grant select, insert on auricle.connector to :"app_role";
grant select, insert on auricle.token to :"app_role";
grant update (revoked_at) on auricle.token to :"app_role";
grant select, insert on auricle.intake to :"app_role";
grant update (state, attempts, next_attempt_at, last_error_code, touched_at) on auricle.intake to :"app_role";
grant select, insert on auricle.recording to :"app_role";
grant update (heard_at, heard_by) on auricle.recording to :"app_role";
grant select, insert on auricle.recording_object to :"app_role";
grant insert (tenant_id, intake_id) on auricle.outbox to :"app_role";
grant select, insert (tenant_id, id, leaf, sealed_private) on auricle.audit_event to :"app_role";
grant select, insert on auricle.signing_key to :"app_role";
