# Who may do what: the one table that every grant is made from. Values only, no expressions, so that it can be read by
# programs too: `npm run check` holds it against the laws.

locals {
  # One right a role, since predefined roles give more: roles/storage.objectCreator also makes folders, and
  # roles/storage.objectUser deletes.
  object_roles = {
    create = {
      title       = "Auricle: create objects"
      permissions = ["storage.objects.create"]
    }
    read = {
      title       = "Auricle: read objects"
      permissions = ["storage.objects.get"]
    }
    list = {
      title       = "Auricle: list objects"
      permissions = ["storage.objects.list"]
    }
    keep = {
      title       = "Auricle: set and extend retention, set holds, write metadata"
      permissions = ["storage.objects.setRetention", "storage.objects.update"]
    }
    remove = {
      title       = "Auricle: delete objects"
      permissions = ["storage.objects.delete"]
    }
    inspect = {
      title       = "Auricle: see how the bucket is set up"
      permissions = ["storage.buckets.get"]
    }
  }

  # `within` is the folder of keys that the grant reaches; null for the bucket as a whole, which is where Cloud Storage
  # decides about listing and about the bucket itself.
  object_grants = {
    ingest_create = {
      service = "ingest"
      store   = "recordings"
      role    = "create"
      within  = "intake/"
      why     = "Stores what a telephone system delivers; cannot read it back"
    }
    ingest_inspect = {
      service = "ingest"
      store   = "recordings"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    worker_create = {
      service = "worker"
      store   = "recordings"
      role    = "create"
      within  = "recordings/"
      why     = "Stores originals and what is made of them"
    }
    worker_keep = {
      service = "worker"
      store   = "recordings"
      role    = "keep"
      within  = "recordings/"
      why     = "Puts what it stores under retention, extends it, and sets holds"
    }
    worker_read = {
      service = "worker"
      store   = "recordings"
      role    = "read"
      within  = null
      why     = "Opens deliveries, and reads back what it stored"
    }
    worker_list = {
      service = "worker"
      store   = "recordings"
      role    = "list"
      within  = null
      why     = "Finds deliveries that were given up"
    }
    worker_remove = {
      service = "worker"
      store   = "recordings"
      role    = "remove"
      within  = "intake/"
      why     = "Clears a delivery away once it is archived; cannot delete a recording"
    }
    worker_inspect = {
      service = "worker"
      store   = "recordings"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    api_read = {
      service = "api"
      store   = "recordings"
      role    = "read"
      within  = "recordings/"
      why     = "Plays recordings; cannot change or delete any"
    }
    api_inspect = {
      service = "api"
      store   = "recordings"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    operator_create = {
      service = "operator"
      store   = "recordings"
      role    = "create"
      within  = "intake/"
      why     = "auricle ingest hands a file over as a connector would"
    }
    operator_read = {
      service = "operator"
      store   = "recordings"
      role    = "read"
      within  = null
      why     = "auricle verify opens every object"
    }
    operator_list = {
      service = "operator"
      store   = "recordings"
      role    = "list"
      within  = null
      why     = "auricle verify finds objects that belong to nothing"
    }
    operator_inspect = {
      service = "operator"
      store   = "recordings"
      role    = "inspect"
      within  = null
      why     = "auricle doctor"
    }
    worker_create_recovery = {
      service = "worker"
      store   = "recovery"
      role    = "create"
      within  = "recordings/"
      why     = "Makes second copies"
    }
    worker_keep_recovery = {
      service = "worker"
      store   = "recovery"
      role    = "keep"
      within  = "recordings/"
      why     = "Puts second copies under retention, and extends it with that of the first"
    }
    worker_read_recovery = {
      service = "worker"
      store   = "recovery"
      role    = "read"
      within  = "recordings/"
      why     = "Reads second copies back, and recognises one that it made before it was cut off"
    }
    worker_list_recovery = {
      service = "worker"
      store   = "recovery"
      role    = "list"
      within  = null
      why     = "Is told that a second copy is absent: who may not list is refused it as one that may not be had"
    }
    worker_inspect_recovery = {
      service = "worker"
      store   = "recovery"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    operator_read_recovery = {
      service = "operator"
      store   = "recovery"
      role    = "read"
      within  = "recordings/"
      why     = "auricle verify opens second copies too"
    }
    operator_list_recovery = {
      service = "operator"
      store   = "recovery"
      role    = "list"
      within  = null
      why     = "auricle verify tells an absent second copy from one that may not be had"
    }
    operator_inspect_recovery = {
      service = "operator"
      store   = "recovery"
      role    = "inspect"
      within  = null
      why     = "auricle doctor"
    }
    disposer_remove = {
      service = "disposer"
      store   = "recordings"
      role    = "remove"
      within  = "recordings/"
      why     = "Deletes recordings whose time has come; can neither read them, nor shorten a retention, nor take a hold off"
    }
    disposer_remove_intake = {
      service = "disposer"
      store   = "recordings"
      role    = "remove"
      within  = "intake/"
      why     = "Deletes what is left of the delivery of such a recording"
    }
    disposer_list = {
      service = "disposer"
      store   = "recordings"
      role    = "list"
      within  = null
      why     = "Checks that nothing is left of a recording"
    }
    disposer_inspect = {
      service = "disposer"
      store   = "recordings"
      role    = "inspect"
      within  = null
      why     = "Learns how long the bucket can bring deleted objects back"
    }
    disposer_remove_recovery = {
      service = "disposer"
      store   = "recovery"
      role    = "remove"
      within  = "recordings/"
      why     = "Deletes second copies with the first"
    }
    disposer_list_recovery = {
      service = "disposer"
      store   = "recovery"
      role    = "list"
      within  = null
      why     = "Checks that no second copy is left"
    }
    disposer_inspect_recovery = {
      service = "disposer"
      store   = "recovery"
      role    = "inspect"
      within  = null
      why     = "Learns how long the bucket can bring deleted copies back"
    }
    disposer_create_log = {
      service = "disposer"
      store   = "log"
      role    = "create"
      within  = "late/"
      why     = "Takes events in while the database cannot have them"
    }
    disposer_inspect_log = {
      service = "disposer"
      store   = "log"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    worker_create_log = {
      service = "worker"
      store   = "log"
      role    = "create"
      within  = null
      why     = "Publishes the audit log; can neither replace nor delete what it published"
    }
    worker_read_log = {
      service = "worker"
      store   = "log"
      role    = "read"
      within  = null
      why     = "Holds the database against what was published before it signs"
    }
    worker_list_log = {
      service = "worker"
      store   = "log"
      role    = "list"
      within  = null
      why     = "Finds what was published last"
    }
    worker_create_reports = {
      service = "worker"
      store   = "reports"
      role    = "create"
      within  = null
      why     = "Stores scheduled reports; can neither replace nor delete one"
    }
    worker_read_reports = {
      service = "worker"
      store   = "reports"
      role    = "read"
      within  = null
      why     = "Counts what an earlier attempt at a report has stored"
    }
    worker_inspect_log = {
      service = "worker"
      store   = "log"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    api_create_log = {
      service = "api"
      store   = "log"
      role    = "create"
      within  = "late/"
      why     = "Takes events in while the database cannot have them"
    }
    api_create_receipt_keys = {
      service = "api"
      store   = "log"
      role    = "create"
      within  = "receipt-keys/"
      why     = "Publishes what vouches for the key of its receipts"
    }
    api_read_receipt_keys = {
      service = "api"
      store   = "log"
      role    = "read"
      within  = "receipt-keys/"
      why     = "Hands whoever has a receipt what vouches for its key"
    }
    api_list_log = {
      service = "api"
      store   = "log"
      role    = "list"
      within  = null
      why     = "Tells that nothing vouches for a key"
    }
    api_inspect_log = {
      service = "api"
      store   = "log"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    ingest_create_log = {
      service = "ingest"
      store   = "log"
      role    = "create"
      within  = "late/"
      why     = "Takes events in while the database cannot have them"
    }
    ingest_inspect_log = {
      service = "ingest"
      store   = "log"
      role    = "inspect"
      within  = null
      why     = "Refuses to start on a bucket that is not set up as it must be"
    }
    operator_create_log = {
      service = "operator"
      store   = "log"
      role    = "create"
      within  = "late/"
      why     = "Takes events in while the database cannot have them"
    }
    operator_read_log = {
      service = "operator"
      store   = "log"
      role    = "read"
      within  = null
      why     = "auricle audit verify reads what was published"
    }
    operator_list_log = {
      service = "operator"
      store   = "log"
      role    = "list"
      within  = null
      why     = "auricle audit verify finds what was published"
    }
    operator_inspect_log = {
      service = "operator"
      store   = "log"
      role    = "inspect"
      within  = null
      why     = "auricle doctor"
    }
  }

  # What no service may do: for a person, for as long as they need it. Nobody runs as one of these.
  officer_roles = {
    loosen = {
      title       = "Auricle: shorten retention that is not locked"
      permissions = ["storage.objects.get", "storage.objects.overrideUnlockedRetention", "storage.objects.setRetention", "storage.objects.update"]
    }
  }

  officer_grants = {
    loosen_recordings = {
      officer = "retention_officer"
      store   = "recordings"
      role    = "loosen"
      within  = "recordings/"
      why     = "Shortens or locks a retention that is not locked; cannot delete"
    }
    loosen_recovery = {
      officer = "retention_officer"
      store   = "recovery"
      role    = "loosen"
      within  = "recordings/"
      why     = "The same of second copies"
    }
  }

  # Google's roles for the use of keys hold one right each beside finding their way, so they are taken as they are.
  key_roles = {
    encrypt = "roles/cloudkms.cryptoKeyEncrypter"
    decrypt = "roles/cloudkms.cryptoKeyDecrypter"
    sign    = "roles/cloudkms.signer"
    view    = "roles/cloudkms.publicKeyViewer"
  }

  # Roles of our own: Google's roles/cloudkms.admin also destroys versions and hands out rights.
  own_key_roles = {
    make_keys = {
      title = "Auricle: make and rotate keys"
      permissions = [
        "cloudkms.cryptoKeyVersions.create",
        "cloudkms.cryptoKeyVersions.get",
        "cloudkms.cryptoKeyVersions.list",
        "cloudkms.cryptoKeys.create",
        "cloudkms.cryptoKeys.get",
        "cloudkms.cryptoKeys.list",
        "cloudkms.cryptoKeys.update",
        "cloudkms.keyRings.get",
      ]
    }
    look_up = {
      title = "Auricle: see which keys there are"
      permissions = [
        "cloudkms.cryptoKeyVersions.get",
        "cloudkms.cryptoKeyVersions.list",
        "cloudkms.cryptoKeys.get",
        "cloudkms.cryptoKeys.list",
        "cloudkms.keyRings.get",
      ]
    }
  }

  # What the names of tenants' keys end with: the application makes them, so rights reach them by this.
  tenant_key_endings = {
    recordings = "-recordings"
    connectors = "-connectors"
  }

  # `keys`: the purpose of the tenants' keys that the grant reaches, the name of a key of the deployment, or null for the
  # key ring as a whole.
  key_grants = {
    ingest_encrypt_recordings = {
      service = "ingest"
      role    = "encrypt"
      keys    = "recordings"
      why     = "Seals what comes in; cannot open it"
    }
    ingest_decrypt_connectors = {
      service = "ingest"
      role    = "decrypt"
      keys    = "connectors"
      why     = "Opens the secrets that deliveries are checked with"
    }
    ingest_look_up = {
      service = "ingest"
      role    = "look_up"
      keys    = null
      why     = "Refuses to start where keys are not as they must be"
    }
    worker_encrypt_recordings = {
      service = "worker"
      role    = "encrypt"
      keys    = "recordings"
      why     = "Seals originals and what is made of them"
    }
    worker_decrypt_recordings = {
      service = "worker"
      role    = "decrypt"
      keys    = "recordings"
      why     = "Opens deliveries, and reads back what it stored"
    }
    worker_encrypt_identity = {
      service = "worker"
      role    = "encrypt"
      keys    = "identity"
      why     = "Seals the key that signs tenants' logs, a new one each year"
    }
    worker_decrypt_identity = {
      service = "worker"
      role    = "decrypt"
      keys    = "identity"
      why     = "Opens the key that signs tenants' logs"
    }
    worker_sign_checkpoints = {
      service = "worker"
      role    = "sign"
      keys    = "checkpoints"
      why     = "Signs the state of the log"
    }
    worker_view_checkpoints = {
      service = "worker"
      role    = "view"
      keys    = "checkpoints"
      why     = "Checks its signature before it is written"
    }
    worker_sign_certificates = {
      service = "worker"
      role    = "sign"
      keys    = "certificates"
      why     = "Signs that a recording was destroyed"
    }
    worker_view_certificates = {
      service = "worker"
      role    = "view"
      keys    = "certificates"
      why     = "Names the key in what it signs, and checks the signature before it is stored"
    }
    worker_look_up = {
      service = "worker"
      role    = "look_up"
      keys    = null
      why     = "Refuses to start where keys are not as they must be"
    }
    disposer_decrypt_recordings = {
      service = "disposer"
      role    = "decrypt"
      keys    = "recordings"
      why     = "Opens dates of birth, from which retention counts; has no right to read an object"
    }
    disposer_look_up = {
      service = "disposer"
      role    = "look_up"
      keys    = null
      why     = "Refuses to start where keys are not as they must be"
    }
    api_decrypt_recordings = {
      service = "api"
      role    = "decrypt"
      keys    = "recordings"
      why     = "Opens what is played; seals nothing"
    }
    api_encrypt_connectors = {
      service = "api"
      role    = "encrypt"
      keys    = "connectors"
      why     = "Seals the secrets of a new connector, and those that take the place of others; opens none"
    }
    api_encrypt_identity = {
      service = "api"
      role    = "encrypt"
      keys    = "identity"
      why     = "Seals the first key that signs tokens"
    }
    api_decrypt_identity = {
      service = "api"
      role    = "decrypt"
      keys    = "identity"
      why     = "Opens the key that signs tokens"
    }
    api_view_checkpoints = {
      service = "api"
      role    = "view"
      keys    = "checkpoints"
      why     = "Hands auditors the key that checkpoints verify with"
    }
    api_sign_receipts = {
      service = "api"
      role    = "sign"
      keys    = "receipts"
      why     = "Vouches for the key with which this process signs receipts"
    }
    api_view_receipts = {
      service = "api"
      role    = "view"
      keys    = "receipts"
      why     = "Hands whoever has a receipt the key that vouches for it"
    }
    api_view_certificates = {
      service = "api"
      role    = "view"
      keys    = "certificates"
      why     = "Hands out the keys that certificates verify with"
    }
    api_look_up = {
      service = "api"
      role    = "look_up"
      keys    = null
      why     = "Refuses to start where keys are not as they must be"
    }
    operator_make_keys = {
      service = "operator"
      role    = "make_keys"
      keys    = null
      why     = "auricle tenant create makes the tenant's keys"
    }
    operator_encrypt_recordings = {
      service = "operator"
      role    = "encrypt"
      keys    = "recordings"
      why     = "Seals a new tenant's secret, and what auricle ingest hands over"
    }
    operator_decrypt_recordings = {
      service = "operator"
      role    = "decrypt"
      keys    = "recordings"
      why     = "auricle verify opens every object"
    }
    operator_encrypt_connectors = {
      service = "operator"
      role    = "encrypt"
      keys    = "connectors"
      why     = "Seals the secrets of a new connector"
    }
    operator_decrypt_connectors = {
      service = "operator"
      role    = "decrypt"
      keys    = "connectors"
      why     = "auricle ingest works with the connector's secrets"
    }
    operator_encrypt_identity = {
      service = "operator"
      role    = "encrypt"
      keys    = "identity"
      why     = "Seals the first key that signs tokens"
    }
    operator_decrypt_identity = {
      service = "operator"
      role    = "decrypt"
      keys    = "identity"
      why     = "auricle token issue signs"
    }
    operator_view_certificates = {
      service = "operator"
      role    = "view"
      keys    = "certificates"
      why     = "auricle certificate keys hands out what certificates verify with"
    }
    operator_view_checkpoints = {
      service = "operator"
      role    = "view"
      keys    = "checkpoints"
      why     = "auricle audit verify checks signatures"
    }
  }
}
