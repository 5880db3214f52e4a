"""Archive readers: one archive a module, pure, without Prefect."""
