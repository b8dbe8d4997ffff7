"""IBPO: trains a model to choose by itself when to think, under a share of thinking (extra `train`)."""
