"""The command line: one file a command, each thin."""

from lvmc.cli.app import app, main

__all__ = ["app", "main"]
