"""How the passes of a run go: update by update, and whether and how fast they converge."""
