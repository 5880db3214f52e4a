"""What two versions of a dataset, or two datasets, have that the other has not, and why."""
