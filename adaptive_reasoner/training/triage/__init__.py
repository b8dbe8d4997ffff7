"""Fitting triage: from questions with the outcomes of both modes to an estimator of the gain of thinking."""
