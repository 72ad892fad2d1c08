# Run with `terraform test`; needs neither a provider nor a network.

variables {
  name                = "clinic"
  recordings_location = "europe-west3"
  recovery_location   = "europe-west4"
}

run "durations_and_names" {
  command = plan

  variables {
    rotation_days    = 30
    destroy_days     = 14
    soft_delete_days = 9
  }

  assert {
    condition     = output.rotation_period == "2592000s"
    error_message = "30 days are 2592000 seconds."
  }

  assert {
    condition     = output.destroy_duration == "1209600s"
    error_message = "14 days are 1209600 seconds."
  }

  assert {
    condition     = output.soft_delete_seconds == 777600
    error_message = "9 days are 777600 seconds."
  }

  assert {
    condition     = alltrue([for id in values(output.account_ids) : can(regex("^[a-z]([-a-z0-9]*[a-z0-9])$", id)) && length(id) >= 6 && length(id) <= 30])
    error_message = "An account's id has 6 to 30 characters of a-z, 0-9 and -."
  }

  assert {
    condition     = output.locations == { recordings = "EUROPE-WEST3", recovery = "EUROPE-WEST4", log = "EUROPE-WEST4" }
    error_message = "Locations are written as Cloud Storage gives them back."
  }
}

run "log_is_kept" {
  command = plan

  assert {
    condition     = output.log_kept_days >= 7 * 365
    error_message = "What is published of the log is kept for seven years."
  }
}

run "longest_name" {
  command = plan

  variables {
    name = "abcdefghijklmnopqrstu"
  }

  assert {
    condition     = max([for id in values(output.account_ids) : length(id)]...) == 30
    error_message = "The longest name fills an account's id exactly."
  }
}

run "rights_of_the_door" {
  command = plan

  assert {
    condition     = toset([for grant in values(output.object_grants) : grant.role if grant.service == "ingest"]) == toset(["create", "inspect"])
    error_message = "Ingest creates objects and sees the bucket, and nothing else."
  }

  assert {
    condition     = toset([for grant in values(output.key_grants) : "${grant.role} ${coalesce(grant.keys, "ring")}" if grant.service == "ingest"]) == toset(["encrypt recordings", "decrypt connectors", "look_up ring"])
    error_message = "Ingest seals recordings, opens the secrets of connectors, and nothing else."
  }
}

run "rights_to_delete" {
  command = plan

  variables {
    object_prefix = "hospital/one"
  }

  assert {
    condition     = toset([for grant in values(output.object_grants) : "${grant.service} ${grant.store} ${grant.within}" if contains(output.object_roles[grant.role].permissions, "storage.objects.delete")]) == toset(["worker recordings hospital/one/intake/", "disposer recordings hospital/one/intake/", "disposer recordings hospital/one/recordings/", "disposer recovery hospital/one/recordings/"])
    error_message = "The worker deletes deliveries alone, and only disposition deletes recordings."
  }

  assert {
    condition     = !anytrue([for role in values(output.object_roles) : contains(role.permissions, "storage.objects.overrideUnlockedRetention")])
    error_message = "Nobody shortens retention."
  }

  assert {
    condition     = !anytrue([for role in values(output.officer_roles) : contains(role.permissions, "storage.objects.delete")])
    error_message = "Whoever may shorten retention deletes nothing."
  }

  assert {
    condition     = toset([for grant in values(output.officer_grants) : "${grant.officer} ${grant.store} ${grant.within}"]) == toset(["retention_officer recordings hospital/one/recordings/", "retention_officer recovery hospital/one/recordings/"])
    error_message = "Officers reach recordings and their second copies, and nothing else."
  }

  assert {
    condition     = !anytrue([for role in values(output.own_key_roles) : anytrue([for permission in role.permissions : can(regex("destroy|setIamPolicy|useTo|delete", permission))])])
    error_message = "Roles of ours neither use, destroy nor hand out keys."
  }
}

run "every_role_is_known" {
  command = plan

  assert {
    condition     = alltrue([for grant in values(output.object_grants) : contains(keys(output.object_roles), grant.role)])
    error_message = "A grant names a role for buckets that there is not."
  }

  assert {
    condition     = alltrue([for grant in values(output.key_grants) : contains(concat(keys(output.key_roles), keys(output.own_key_roles)), grant.role)])
    error_message = "A grant names a role for keys that there is not."
  }

  assert {
    condition     = length(setintersection(keys(output.key_roles), keys(output.own_key_roles))) == 0
    error_message = "A role for keys is Google's or ours, not both."
  }
}

run "same_location" {
  command = plan

  variables {
    recovery_location = "EUROPE-west3"
  }

  expect_failures = [output.locations]
}

run "region_within_the_multi_region" {
  command = plan

  variables {
    recordings_location = "eu"
  }

  expect_failures = [output.locations]
}

run "multi_region_around_the_region" {
  command = plan

  variables {
    recovery_location = "EU"
  }

  expect_failures = [output.locations]
}

run "two_continents" {
  command = plan

  variables {
    recordings_location = "EU"
    recovery_location   = "us-east1"
  }

  assert {
    condition     = output.locations.recovery == "US-EAST1"
    error_message = "A region of another continent is apart."
  }
}

run "refuses_a_name_too_long" {
  command = plan

  variables {
    name = "abcdefghijklmnopqrstuv"
  }

  expect_failures = [var.name]
}

run "refuses_a_prefix_with_slashes_at_its_ends" {
  command = plan

  variables {
    object_prefix = "/hospital/"
  }

  expect_failures = [var.object_prefix]
}

run "refuses_periods_out_of_bounds" {
  command = plan

  variables {
    rotation_days    = 0
    destroy_days     = 6
    soft_delete_days = 3
  }

  expect_failures = [var.rotation_days, var.destroy_days, var.soft_delete_days]
}

run "refuses_words_that_mean_nothing" {
  command = plan

  variables {
    retention_mode = "locked"
    protection     = "SOFT"
  }

  expect_failures = [var.retention_mode, var.protection]
}
