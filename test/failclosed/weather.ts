// Faults of a real PostgreSQL, for as long as they are wanted: a full disk, a server that is read-only, serialisation
// failures, commits that fail, a table that is locked, connections that drop.
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'

export const weathers = [
  'fine',
  'disk full',
  'serialisation failure',
  'commit fails',
  'read-only',
  'locked',
  'connections drop',
] as const
export type Weather = (typeof weathers)[number]

/** SQLSTATE that the server raises, and when. */
const raised: Partial<Record<Weather, { readonly at: 'insert' | 'commit'; readonly state: string }>> = {
  'disk full': { at: 'insert', state: '53100' },
  'serialisation failure': { at: 'insert', state: '40001' },
  'commit fails': { at: 'commit', state: '53100' },
}
const lockedMs = 400
const dropEveryMs = 15

export interface WeatherMaker {
  /** Until it is disposed of. */
  make(weather: Weather): Promise<AsyncDisposable>
  /** Ends every connection of that application name. */
  cut(): Promise<void>
}

/** `superuser` is one of the database in question; `application` names the connections that suffer. */
export async function createWeather(superuser: pg.Pool, application: string): Promise<WeatherMaker> {
  await superuser.query(`
    create schema failclosed;
    create table failclosed.weather (at text primary key, state text not null);
    create function failclosed.raise() returns trigger language plpgsql security definer as $$
    declare
      v_state text;
    begin
      select w.state into v_state from failclosed.weather w where w.at = tg_argv[0];
      if v_state is not null then
        raise exception 'made to fail' using errcode = v_state;
      end if;
      return null;
    end
    $$;
    create trigger failing_insert after insert on auricle.audit_event
      for each row execute function failclosed.raise('insert');
    create constraint trigger failing_commit after insert on auricle.audit_event
      deferrable initially deferred for each row execute function failclosed.raise('commit')`)

  const cut = async () => {
    await superuser.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1',
      [application],
    )
  }

  /** Also in a session that began while the database was read-only. */
  const write = (statement: string) => superuser.query(`begin read write; ${statement}; commit`)

  async function raise(at: 'insert' | 'commit', state: string): Promise<AsyncDisposable> {
    await write(`insert into failclosed.weather values ('${at}', '${state}')`)
    return {
      async [Symbol.asyncDispose]() {
        await write('delete from failclosed.weather')
      },
    }
  }

  /** Of the whole database; sessions that are open already are ended, so that new ones have it. */
  async function readOnly(): Promise<AsyncDisposable> {
    const set = async (value: 'on' | 'off') => {
      const { rows } = await superuser.query<{ name: string }>('select current_database() as name')
      const statement = `alter database ${rows[0]?.name} set default_transaction_read_only to ${value}`
      await write(statement)
      await cut()
    }
    await set('on')
    return { [Symbol.asyncDispose]: () => set('off') }
  }

  function repeatedly(work: () => Promise<void>): AsyncDisposable {
    const stop = new AbortController()
    const running = (async () => {
      while (!stop.signal.aborted) await work()
    })()
    return {
      async [Symbol.asyncDispose]() {
        stop.abort()
        await running
      },
    }
  }

  return {
    cut,
    async make(weather) {
      const failure = raised[weather]
      if (failure !== undefined) return raise(failure.at, failure.state)
      switch (weather) {
        case 'read-only':
          return readOnly()
        case 'locked':
          return repeatedly(async () => {
            await lockFor(superuser, lockedMs)
            await delay(lockedMs)
          })
        case 'connections drop':
          return repeatedly(async () => {
            await cut()
            await delay(dropEveryMs)
          })
        default:
          return { [Symbol.asyncDispose]: async () => undefined }
      }
    },
  }
}

/** Nobody inserts into the log meanwhile. */
async function lockFor(superuser: pg.Pool, ms: number): Promise<void> {
  const client = await superuser.connect()
  try {
    await client.query('begin read write; lock table auricle.audit_event in share mode')
    await delay(ms)
    await client.query('rollback')
  } finally {
    client.release()
  }
}
