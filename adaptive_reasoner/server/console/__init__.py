"""The console: one static page, served from the package, and the little that it needs beside the API."""
