"""Work for somebody, for tests of what takes turns."""

from app.sessions.changes import Changes
from app.sessions.jobs import Job


def a_job(client: str = "somebody") -> Job:
    return Job("answering", client, Changes())
