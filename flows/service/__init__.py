"""The engine as a service: server, database and workers on one machine, and what is deployed."""
