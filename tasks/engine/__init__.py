"""Where granules are worked through: worker processes here, or a cluster of Dask or Ray."""
