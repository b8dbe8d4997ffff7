"""Tunes a guider for THINKLOGIT: preference pairs of the target's and the guider's own answers (extra `train`)."""
