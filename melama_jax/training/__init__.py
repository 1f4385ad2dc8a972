"""One training step and everything around it."""
