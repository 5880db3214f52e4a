"""Published datasets on S3-compatible storage: files by digest, versions by name."""
