"""What `./run bench control` runs."""
