"""Readonce for other programs: the same few functions over HTTP (gradio_client) and as MCP tools."""
