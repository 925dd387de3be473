"""Prepares the backend and the models for a Triton, and runs one."""

from penchant.launch.errors import LaunchError
from penchant.launch.ports import FREE, Ports
from penchant.launch.server import Server

__all__ = ["FREE", "LaunchError", "Ports", "Server"]
