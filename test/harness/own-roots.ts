// Imported before anything else: gRPC reads this variable once, while it is loaded, and would then trust no roots but those,
// not even what a harness tells this process to trust.
delete process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH']
