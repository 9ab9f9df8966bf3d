"""Who is next, so that nobody waits longer than if all were served at once, each at an equal share of the speed.

Tickets go in the order in which they would be done under such equal sharing: short work does not wait for long work,
long work is not put off for ever by short work that comes later, and a client's second ticket comes after its first, so
that many tickets of one client delay no other. This is the Fair Sojourn Protocol (Friedman and Henderson, 2003).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.sessions.jobs import Job


@dataclass(slots=True, kw_only=True, eq=False)
class Ticket:
    """A place in a queue. Costs are in the queue's own unit, such as tokens."""

    job: Job
    cost: float
    finish: float  # the virtual time at which it would be done under equal sharing
    number: int  # in the order in which they came
    served: float = 0.0  # of its cost
    waits: bool = True  # for its turn; no while it is served, or does something else
    was_overtaken: bool = False  # a chunk of somebody's reading has gone before it

    @property
    def order(self) -> tuple[float, int]:
        return self.finish, self.number

    @property
    def left(self) -> float:
        return max(self.cost - self.served, 0.0)


class FairQueue:
    """The tickets that wait or are being served. It is not safe to use from several threads."""

    def __init__(self) -> None:
        self._tickets: list[Ticket] = []
        self._count = 0
        self._virtual_time = 0.0  # what each ticket would have been served by now under equal sharing

    def __len__(self) -> int:
        return len(self._tickets)

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets)

    def add(self, job: Job, cost: float) -> Ticket:
        """A new ticket. Its work begins now, or where the client's last ticket ends."""
        begin = max([self._virtual_time, *(one.finish for one in self._tickets if one.job.client == job.client)])
        self._count += 1
        ticket = Ticket(job=job, cost=cost, finish=begin + cost, number=self._count)
        self._tickets.append(ticket)
        return ticket

    def remove(self, ticket: Ticket) -> None:
        """It is done, or does not wait any longer."""
        self._tickets.remove(ticket)

    def first(self) -> Ticket | None:
        """Of the tickets that wait."""
        return min((ticket for ticket in self._tickets if ticket.waits), key=lambda one: one.order, default=None)

    def before(self, ticket: Ticket) -> list[Ticket]:
        """Those that go before it."""
        return [other for other in self._tickets if other.order < ticket.order]

    def serve(self, ticket: Ticket, amount: float) -> None:
        """Note that so much of a ticket's cost was worked off."""
        ticket.served += amount
        sharing = sum(other.finish > self._virtual_time for other in self._tickets)
        self._virtual_time += amount / max(sharing, 1)
