"""Readonce in OpenAI's shapes: `/v1/models`, `/v1/files` and `/v1/chat/completions`, for the tools that speak them."""
