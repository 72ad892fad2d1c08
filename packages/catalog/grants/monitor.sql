-- What the monitor's role may see: the log of every tenant, as it is sealed, and nothing else. It may change nothing.
-- Run as the owner of the schema after every migration; running it again changes nothing. `:'monitor_role'` stands for
-- the role, as psql would have it.
do $$
declare
  v_role text := :'monitor_role';
  v_table text;
begin
  if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
    return;
  end if;
  execute format('grant usage on schema auricle to %I', v_role);
  foreach v_table in array array[
    'audit_event', 'audit_log', 'audit_seal', 'audit_patient', 'audit_tile', 'audit_checkpoint'
  ] loop
    execute format('grant select on auricle.%I to %I', v_table, v_role);
    if not exists (
      select from pg_catalog.pg_policies
      where schemaname = 'auricle' and tablename = v_table and policyname = 'monitor' and v_role = any (roles)
    ) then
      execute format('drop policy if exists monitor on auricle.%I', v_table);
      execute format('create policy monitor on auricle.%I for select to %I using (true)', v_table, v_role);
    end if;
  end loop;
  execute format(
    'grant select on auricle.anchor_log, auricle.anchor_leaf, auricle.anchor_tile, auricle.anchor_checkpoint,
       auricle.migration to %I', v_role);
end
$$;
