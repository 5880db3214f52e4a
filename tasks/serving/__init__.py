"""The server of a model, for the length of a flow."""
