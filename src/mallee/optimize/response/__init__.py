"""Demand response: what the grid asks for as data, who gives how much, and what is owed for it."""
