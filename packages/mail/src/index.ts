// Sends mail through a server of the deployment.
export {}
