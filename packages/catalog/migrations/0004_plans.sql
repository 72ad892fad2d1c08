-- A connection keeps the plan of a function's statement after a few calls. One that opened while intake was nearly empty
-- would keep a plan that reads all rows of a tenant, and take longer with every delivery, until statistics are gathered
-- a minute or more later. This statement is planned anew each time, which costs less than it saves: the size of a table
-- is known without statistics.

alter function auricle.find_intake_by_source(text, text, bytea) set plan_cache_mode = force_custom_plan;
