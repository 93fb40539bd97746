"""What surrounds an emitted module: importing it, reopening it, and weights from elsewhere."""
