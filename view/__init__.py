"""A page on this machine over a dataset of any size: its samples, masks, counts, refusals."""
