"""The bench scorer: predictions in, accuracy and mask figures with their uncertainty out."""
