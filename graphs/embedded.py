"""The reasoning graph on the shipped model, ready to serve: no key, no network."""

from adaptive_reasoner import build_reasoning_graph

graph = build_reasoning_graph("embedded")
