"""The language: reading, writing, names, schema."""
