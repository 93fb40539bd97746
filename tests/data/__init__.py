"""Pictures and files of a run."""
