"""The graph and its parts behind the interfaces of others."""
