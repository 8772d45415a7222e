"""Mallee runs a modular AI data centre from grid to chip, on hardware or on its physics twin."""

__version__ = "0.1.0"
