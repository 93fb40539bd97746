"""What the certificates of a matrix mean, and how to check each from the matrix, its groups and the certificate alone.

Common to all: d = diag(A); D_i = d_i where d_i > 0, else 1; μ = `margin`; floats are exact rational numbers.
Each proves that A − μD is copositive on the cone K = {z ≥ 0, at most one nonzero in a group}; claim "strict" has μ > 0,
"copositive" μ = 0. Claim "psd" says A − μD ⪰ 0 on all of ℝⁿ, so that μ > 0 proves strictness, too.
"⪰ 0" is checked by a Cholesky factor with room for its rounding or by exact LDLᵀ (`semidefinite.py`). A group
pair is i ≠ j of one group.

kind "dominance"  v (n,), facts: groups 0 or 1.  v > 0 and T(v)_i ≤ (d_i − μD_i) v_i for all i.
    groups 0 (T1): T(v)_i = Σ_{j≠i} max(−a_ij, 0) v_j. For 2 z_i z_j ≤ z_i² v_j/v_i + z_j² v_i/v_j. True on z ≥ 0.
    groups 1 (T5): T(v)_i = Σ over the groups h without i of max_{j in h} max(−a_ij, 0) v_j. Each choice of one index
    a group meets T1.

kind "psd"  no arrays.  A − μD ⪰ 0.

kind "spn"  N (n, n), symmetric.  N_ij ≥ 0 but on group pairs, where it is free; A − μD − N ⪰ 0.
    For zᵀNz ≥ 0 on K, where z_i z_j = 0 on group pairs.

kind "tree"  w (n,), shift (n,), ops (k, 2), data (m,).  w > 0; shift_i ≥ μD_i; with A' = A − diag(shift), a'_ii ≥ 0.
    L_ij = (a'_ii w_j/w_i + a'_jj w_i/w_j)/2. Â = A', but max(A'_ij, L_ij) on group pairs. A pair i ≠ j is exclusive if
    Â_ij ≥ L_ij.
    Theorem. If A' is not copositive on K, then of the least points x of xᵀÂx = λ < 0 over x ≥ 0, wᵀx = 1, one of
    smallest support I has (a) no exclusive pair in I, (b) I connected in the graph of Â_ij < 0, (c) Âx = λw on I and
    ≥ λw elsewhere, (d) uᵀÂu > 0 for every u ≠ 0 on I with wᵀu = 0.
    The ops, read one after another, leave no place for I. visit(M, S), for M ⊆ I ⊆ S, begins with M = {}, S = all:
    for each connected part T of S in the graph of Â_ij < 0, by smallest index, unless M ⊄ T or |T| = 1, read (code, j):
        0 branch     j in T, not in M: visit(M + j, T less all that exclude j), then visit(M, T less j)
        1 psd        A'_TT ⪰ 0
        2 signed     the matrix of a'_ii and, off the diagonal, min(Â_ij, 0) over T is ⪰ 0
        3 spn        read the |T|(|T| − 1)/2 numbers N_ij, i < j, row by row: ≥ 0 but on group pairs; A'_TT − N ⪰ 0
        4 linear     read the |T| numbers y: y_i ≤ 0 on T less M, Â_TT y ≥ 0, Σ w_i y_i > 0; so 0 ≤ xᵀÂy ≤ λwᵀy < 0
        5 curvature  |M| ≥ 2 and Â_MM is not positive definite on {u: wᵀu = 0}, against (d)
        6 solve      T = M; Â_MM y = w has no solution, or one only and that one not below 0 everywhere; x = λy, λ < 0
    At the end all ops and all data are used.

A witness holds z under "z"; where that is not exact enough, z is the sum of "z", "z:1", "z:2", ….
"""

from typing import Literal

Kind = Literal["dominance", "psd", "spn", "tree"]
"""The kinds of certificate of a matrix."""
