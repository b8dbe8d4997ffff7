"""Training: everything here needs the extra `train`."""
