"""A page on this machine over a dataset: its samples, masks, counts, refusals."""
