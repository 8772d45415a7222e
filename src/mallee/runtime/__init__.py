"""The shell around the pure core: processes, clocks, the board they share, and the run folder."""
