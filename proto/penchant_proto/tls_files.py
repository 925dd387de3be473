"""The names of PEM files in a directory of TLS: those of Kubernetes' TLS secrets and cert-manager.

Each side of a connection has a directory of its own, so that no key lies where it is not needed.
"""

from __future__ import annotations

CA = "ca.crt"
"""Authorities of the other side: a client's directory needs it, a server's makes it ask each client
for a certificate."""

CERT = "tls.crt"
"""This side's own certificate, followed by those between it and its authority."""

KEY = "tls.key"
"""The key of that certificate."""
