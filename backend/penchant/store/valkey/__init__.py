"""The store of many servers: Valkey, one server or a cluster."""
