"""How much at once, how much a minute, how large and how long; and how the server stops."""
