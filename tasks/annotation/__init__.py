"""TerraScope-Cap: trained on the captions, it segments what is annotated, out of fold."""
