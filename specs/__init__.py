"""One YAML a model."""
