"""Bounds by the largest eigenvalue: Lanczos, and inhibition attenuated until the rest is semidefinite."""
