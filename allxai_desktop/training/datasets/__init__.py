"""Images to learn from: read, looked through, divided."""
