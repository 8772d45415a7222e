"""Other programmes on the same day, each run by a Python of its own environment."""
