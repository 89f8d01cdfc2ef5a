"""What tests stand on: the real web server, its database and broker, and the client matrix, as pytest plugins."""
