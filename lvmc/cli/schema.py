"""`lvmc schema`: the language as a JSON Schema, for editors."""

from __future__ import annotations

from lvmc.cli.options import AsJson


def schema(as_json: AsJson = True) -> None:
    """Print the JSON Schema of the language."""
    from lvmc.cli.output import print_json
    from lvmc.spec.write import json_schema

    print_json(json_schema())
