"""Painter's order: which solid must be drawn before which, seen from one point."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from .solids import Floats, Solids

Pairs = NDArray[np.bool_]
SLACK = 5e-4
"""Metres that touching solids may sink into each other and still count as apart."""


def painters_order(solids: Solids, eye: Floats) -> list[int]:
    """Solids from the farthest to the nearest, what lies flat on the table first.

    Two convex solids that do not intersect are mostly parted by a face of one of them: the one on the eye's side of
    that face may hide the other. Where solids intersect (at the arm's joints) the farther centre goes first.
    """
    rank = np.argsort(np.argsort(-np.linalg.norm(solids.centers - eye, axis=1)))
    order = _sorted(_hides(solids, eye), rank.tolist())
    return sorted(order, key=solids.layer.__getitem__)


def _hides(solids: Solids, eye: Floats) -> Pairs:
    """[a, b]: a may hide b, so b comes first."""
    level = np.einsum("fi,fi->f", solids.normals, solids.points[solids.anchor])
    height = solids.normals @ solids.points.T - level[:, None]
    # apart[f, g]: all of solid g is outside of face f; then whichever of g and f's owner is beyond f hides nothing.
    apart = np.minimum.reduceat(height, solids.starts, axis=1) > -SLACK
    seen = ((solids.normals @ eye - level) > 0)[:, None]
    starts = solids.first[:-1]
    cannot: Pairs = np.logical_or.reduceat(apart & seen, starts, axis=0)
    cannot |= np.logical_or.reduceat(apart & ~seen, starts, axis=0).T
    return cannot.T & ~cannot


def _sorted(hides: Pairs, rank: list[int]) -> list[int]:
    """Topological order, farther first among the free; a cycle is cut at its farthest member."""
    waits = hides.sum(axis=1).tolist()
    ahead = [np.flatnonzero(column).tolist() for column in hides.T]
    free = [(rank[i], i) for i, count in enumerate(waits) if count == 0]
    heapq.heapify(free)
    order: list[int] = []
    left = set(range(len(rank)))
    while left:
        chosen = heapq.heappop(free)[1] if free else min(left, key=rank.__getitem__)
        if chosen not in left:
            continue
        left.remove(chosen)
        order.append(chosen)
        for other in ahead[chosen]:
            waits[other] -= 1
            if waits[other] == 0:
                heapq.heappush(free, (rank[other], other))
    return order
