"""One small file for each family of response formats; `table` lists them in the order in which they are tried."""
