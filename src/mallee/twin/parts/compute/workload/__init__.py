"""What runs on the nodes: activity 0..1 over time, one column a lockstep unit."""
