"""Who writes texts: settings, and the writer opened for the length of some granules."""
