#!/bin/sh
# Makes the roles and the database, on the first start of PostgreSQL: one role owns the schema and migrates, one is what
# the services are, and owns nothing. The monitor's reads the log alone; it gets a password where there is one for it.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$AURICLE_OWNER_PASSWORD" --set app_password="$AURICLE_APP_PASSWORD" <<'SQL'
create role auricle_owner login password :'owner_password';
create role auricle_app login password :'app_password';
create database auricle owner auricle_owner;
revoke all on database auricle from public;
grant connect on database auricle to auricle_app;
create role auricle_monitor;
grant connect on database auricle to auricle_monitor;
SQL
if [ -n "${AURICLE_MONITOR_PASSWORD:-}" ]; then
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set monitor_password="$AURICLE_MONITOR_PASSWORD" <<'SQL'
alter role auricle_monitor login password :'monitor_password';
SQL
fi
