"""The model that thinks with masks: parts, losses, data, training and generation. Needs torch."""
