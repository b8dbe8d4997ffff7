"""Training of the embedded model (extra `train`)."""
