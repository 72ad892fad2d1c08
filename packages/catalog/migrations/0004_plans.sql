-- A connection keeps the plan of a function's statement after a few calls. One that opened while the table was nearly
-- empty would keep a plan that reads all rows of a tenant, and take longer with every row, until statistics are gathered
-- a minute or more later. These statements are planned anew each time, which costs less than it saves: the size of a
-- table is known without statistics.

alter function auricle.find_intake_by_source(text, text, bytea) set plan_cache_mode = force_custom_plan;
alter function auricle.find_bearer(text, text, timestamptz) set plan_cache_mode = force_custom_plan;
alter function auricle.find_play_facts(text, text, text, text, timestamptz) set plan_cache_mode = force_custom_plan;
