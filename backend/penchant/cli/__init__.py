"""The `penchant` command, one file a command."""
