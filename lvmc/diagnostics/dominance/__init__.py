"""Bounds by one nonnegative vector: couplings weighed against diagonals, on a torus, at a size, with groups."""
