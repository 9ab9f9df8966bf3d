"""What browsers are told about every answer: nothing from elsewhere, in nobody's frame, no guessing of types."""

from typing import Final

EMBEDDER: Final = "https://huggingface.co"  # where a Space is shown in a frame

# Gradio compiles its events from strings, and writes styles into elements.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " font-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; base-uri 'self';"
    " form-action 'none'; frame-ancestors {ancestors}"
)


def content_policy(*, embedded: bool, nonce: str = "") -> str:
    """The Content-Security-Policy of an answer; with a nonce, of a page whose scripts carry it."""
    scripts = f"'nonce-{nonce}' 'unsafe-eval'" if nonce else "'unsafe-eval'"
    return _POLICY.format(scripts=scripts, ancestors=EMBEDDER if embedded else "'none'")


def security_headers(*, embedded: bool) -> dict[str, str]:
    """For every answer that does not say otherwise. `embedded`: this is a Space, which huggingface.co may frame."""
    headers = {
        "content-security-policy": content_policy(embedded=embedded),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }
    return headers if embedded else headers | {"x-frame-options": "DENY"}
