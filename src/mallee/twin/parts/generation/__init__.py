"""Engine generators and solar plants."""
