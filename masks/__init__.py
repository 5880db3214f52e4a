"""What can be measured on masks: run-length codes, statistics, shapes, distances, scores."""
