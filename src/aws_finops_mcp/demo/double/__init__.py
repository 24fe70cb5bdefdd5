"""The double stands between the HTTP server and moto, so that callers meet AWS's rules and not moto's leniency."""
