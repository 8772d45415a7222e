"""Many seeded worlds, each a run that is checked against true physics."""
