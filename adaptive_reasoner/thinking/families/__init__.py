"""One file a family; `thinking.table` lists them in the order in which they are asked."""
