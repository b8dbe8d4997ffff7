"""One file a node, named as in the picture."""
