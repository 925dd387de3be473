"""How gRPC says that a call found no connection."""

from __future__ import annotations

NO_CONNECTION = ("failed to connect to all addresses", "connections to all backends failing")
"""How its texts begin where no address took the connection; the rest names the last one alone."""
