"""Questions about a model, one file each, answered by frozen reports."""
