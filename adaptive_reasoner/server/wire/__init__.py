"""What travels: OpenAI's requests read, its answers, streams and errors written."""
