"""Writers behind HTTP and in the store: calls kept by content, retried by kind, asked at a pace."""
