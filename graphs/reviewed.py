"""The reasoning graph on the shipped model, which hands answers in doubt to a person: no key, no network."""

from adaptive_reasoner import ReasonerConfig, build_reasoning_graph

graph = build_reasoning_graph("embedded", config=ReasonerConfig(review="low_confidence"))
