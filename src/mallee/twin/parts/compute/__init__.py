"""Nodes, switches and power shelves: what the racks compute, draw and give off as heat."""

from mallee.twin.parts.compute.compute import Compute

__all__ = ["Compute"]
