"""What pictures are made of: nodes, edges, colours, captions, curves, and runs of equal layers."""
