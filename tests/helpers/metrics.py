"""What a running server says of itself at /metrics."""

from tests.helpers.web_client import get


def numbers(address: str) -> dict[str, float]:
    """The samples of /metrics, by name and labels."""
    answer = get(f"{address}/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


def samples(text: str) -> dict[str, float]:
    """The same of what it would say."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
