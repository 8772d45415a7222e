"""Runs a simulated site in virtual time: twin, faults and control in one process."""
