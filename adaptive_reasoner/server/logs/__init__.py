"""One JSON object a line; neither prompts nor secrets are in it."""
