"""The one engine of a running app, and who works with it when."""
