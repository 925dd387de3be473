"""Releases: immutable folders of all that is served, and how a server comes to serve one."""
