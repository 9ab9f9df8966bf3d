"""Whose turn it is at the engine: questions first, one after the other; reading goes on between them.

Two at a time would only slow each other down. Reading asks between two chunks whether it may go on, and between two
pieces of a long one, and is held there while a question waits, and a moment longer: who has got an answer often asks
on, and would wait for a whole chunk. Where questions never end, reading still gets a fifth of the time, one chunk at a
time: no question lets more than one chunk go before it. Questions that nobody has asked, which the page tries before it
offers them, go between: behind those of people, and before reading.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.serving.fair_queue import FairQueue, Ticket
from app.sessions.jobs import Job

READING_PER_ANSWERING = 0.25  # seconds of reading for each second of answering, while questions wait
REST_SECONDS = 0.2  # after an answer, in which another question may come before reading goes on
TELL_SECONDS = 1.0  # between two looks at how many are before one
LATEST_WEIGHT = 0.3  # of the last measurement in an exponential moving average
_READING_STOPPED = "Reading was stopped."
_TRIAL_STOPPED = "Stopped before it was tried."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """How many go before a client's work, and for about how long (None while nobody can know)."""

    before: int
    seconds: float | None


class EngineScheduler:
    """Safe to use from several threads: each brings a job, and waits on its changes.

    `one_at_a_time`: False where the engine works elsewhere, in replicas that have queues of their own: nobody waits.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        one_at_a_time: bool = True,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._one_at_a_time = one_at_a_time
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._questions = FairQueue()
        self._trials = FairQueue()  # questions that nobody has asked
        self._readings = FairQueue()  # in tokens
        self._answering: Ticket | None = None
        self._reading: Ticket | None = None
        self._chunk: Ticket | None = None  # the reading for which questions wait now
        self._step_began = 0.0  # when the reading that goes on was last allowed to
        self._step_seconds = 0.0  # what the last chunk of reading, or the last piece of a long one, took
        self._rests_until = 0.0  # reading, unless it is due
        self._owed_seconds = 0.0  # to reading, for the answers that went before it
        self._seconds_a_question: float | None = None
        self._seconds_a_token: float | None = None
        self._told = 0.0  # when everybody was last told their place

    @contextmanager
    def answering(self, job: Job, questions: int = 1) -> Iterator[None]:
        """Wait until it is this job's turn, then hold the engine for its questions. Raises Cancelled."""
        with self._lock:
            ticket = self._questions.add(job, questions)
            ticket.was_overtaken = self._chunk is not None
        try:
            if not self._try_start_answer(ticket):
                job.changes.notify()  # its place can be shown
                job.wait_until(lambda: self._try_start_answer(ticket), otherwise="Stopped before it began.")
                job.changes.notify()  # it has none any more
            began = self._clock()
            yield
            self._note_answer(ticket, self._clock() - began)
        finally:
            self._end_answer(self._questions, ticket)

    @contextmanager
    def trying(self, job: Job) -> Iterator[None]:
        """Hold the engine for a question that nobody has asked, once no person's question waits. Raises Cancelled."""
        with self._lock:
            ticket = self._trials.add(job, 1)
        try:
            self._wait_past_rest(ticket, self._is_turn_to_try, self._try_start_trial, otherwise=_TRIAL_STOPPED)
            began = self._clock()
            yield
            with self._lock:
                self._trials.serve(ticket, ticket.cost)
                self._owe_reading(self._clock() - began)
        finally:
            self._end_answer(self._trials, ticket)

    @contextmanager
    def reading(self, job: Job, tokens: int) -> Iterator[Callable[[int], None]]:
        """A turn to read so many tokens. What it gives waits until reading may go on; it takes how many are read.

        It raises Cancelled. Of several readings one goes on at a time.
        """
        with self._lock:
            ticket = self._readings.add(job, tokens)
            ticket.waits = False  # what comes before the first chunk holds nobody up
        try:
            yield lambda done: self._pause(ticket, done)
        finally:
            with self._lock:
                self._end_step(ticket)
                self._readings.remove(ticket)
            self._wake_waiting()

    def place_of_question(self, client: str) -> QueuePlace | None:
        """The place of a client's first question that waits; None where none does."""
        return self._place(self._questions, client, self._seconds_a_question)

    def place_of_reading(self, client: str) -> QueuePlace | None:
        """The place of a client's first document that waits to be read."""
        return self._place(self._readings, client, self._seconds_a_token)

    @property
    def questions(self) -> int:
        """How many tasks of questions wait or are being answered; several questions may be one task."""
        return len(self._questions)

    @property
    def readings(self) -> int:
        """How many documents wait for the encoder or are being read."""
        return len(self._readings)

    def is_working(self) -> bool:
        """Whether anything waits or goes on."""
        return bool(self.questions or self.readings or len(self._trials))

    def _try_start_answer(self, ticket: Ticket) -> bool:
        with self._lock:
            if not self._one_at_a_time:
                ticket.waits = False
                return True
            free = self._answering is None and self._chunk is None and self._questions.first() is ticket
            if free and not self._reading_is_due():
                self._answering, ticket.waits = ticket, False
            return self._answering is ticket

    def _try_start_trial(self, ticket: Ticket) -> bool:
        with self._lock:
            if not self._one_at_a_time:
                ticket.waits = False
            elif self._is_turn_to_try(ticket) and not self._rest_left():
                self._answering, ticket.waits = ticket, False
            return not ticket.waits

    def _is_turn_to_try(self, ticket: Ticket) -> bool:
        free = self._answering is None and self._chunk is None and self._trials.first() is ticket
        return free and not len(self._questions) and not self._reading_is_due()

    def _try_start_reading(self, ticket: Ticket) -> bool:
        with self._lock:
            if not self._one_at_a_time:
                ticket.waits = False
                return True
            if not self._is_turn_to_read(ticket) or self._rest_left():
                return False
            if len(self._questions):
                self._chunk = ticket
                for question in self._questions:
                    question.was_overtaken = True
            self._reading, ticket.waits = ticket, False
            self._step_began = self._clock()
            return True

    def _is_turn_to_read(self, ticket: Ticket) -> bool:
        free = self._answering is None and self._reading is None and self._readings.first() is ticket
        return free and (not (len(self._questions) or len(self._trials)) or self._reading_is_due())

    def _rest_left(self) -> float:
        return 0.0 if self._reading_is_due() else max(0.0, self._rests_until - self._clock())

    def _reading_is_due(self) -> bool:
        """Whether the next chunk of reading goes before the questions that wait."""
        owed = self._readings.first() is not None and self._owed_seconds >= self._step_seconds
        return owed and not any(question.was_overtaken for question in self._questions)

    def _pause(self, ticket: Ticket, done: int) -> None:
        with self._lock:
            seconds = self._end_step(ticket)
            read = done - ticket.served
            if read > 0:
                self._readings.serve(ticket, read)
                self._seconds_a_token = _moving_average(self._seconds_a_token, seconds / read)
        if not self._try_start_reading(ticket):
            self._wake_waiting()
            self._wait_past_rest(ticket, self._is_turn_to_read, self._try_start_reading, otherwise=_READING_STOPPED)

    def _wait_past_rest(
        self, ticket: Ticket, is_turn: Callable[[Ticket], bool], start: Callable[[Ticket], bool], *, otherwise: str
    ) -> None:
        """Wait until it is a ticket's turn, and then for what is left of the rest after an answer, until it starts."""

        def is_its_turn() -> bool:
            with self._lock:
                return is_turn(ticket)

        started = start(ticket)
        while not started:
            ticket.job.wait_until(is_its_turn, otherwise=otherwise)
            with self._lock:
                rest = self._rest_left()
            started = ticket.job.wait_until(partial(start, ticket), otherwise=otherwise, seconds=rest)

    def _end_step(self, ticket: Ticket) -> float:
        """End the current step of reading and return its seconds; 0 if the ticket is not the one that reads."""
        ticket.waits = True
        if self._reading is not ticket:
            return 0.0
        self._step_seconds = self._clock() - self._step_began
        if self._chunk is ticket:
            self._owed_seconds = 0.0
        self._reading, self._chunk = None, None
        return self._step_seconds

    def _note_answer(self, ticket: Ticket, seconds: float) -> None:
        with self._lock:
            self._questions.serve(ticket, ticket.cost)
            self._rests_until = self._clock() + self._rest_seconds
            self._seconds_a_question = _moving_average(self._seconds_a_question, seconds / ticket.cost)
            self._owe_reading(seconds)

    def _owe_reading(self, seconds: float) -> None:
        """An answer that took so long has gone before what waits to be read."""
        if any(reading.waits for reading in self._readings):
            owed = self._owed_seconds + READING_PER_ANSWERING * seconds
            self._owed_seconds = min(owed, self._step_seconds)

    def _end_answer(self, queue: FairQueue, ticket: Ticket) -> None:
        with self._lock:
            queue.remove(ticket)
            if self._answering is ticket:
                self._answering = None
        self._wake_waiting()

    def _wake_waiting(self) -> None:
        """Wake those whose turn it may be, and now and then everybody who waits: their places have moved."""
        with self._lock:
            now = self._clock()
            everybody = now - self._told >= TELL_SECONDS
            self._told = now if everybody else self._told
            queues = (self._questions, self._trials, self._readings)
            tickets = [ticket for queue in queues for ticket in queue if ticket.waits]
            firsts = [queue.first() for queue in queues]
            woken = {ticket.job for ticket in tickets if everybody or ticket in firsts}
        for job in woken:
            job.changes.notify()

    def _place(self, queue: FairQueue, client: str, seconds_a_unit: float | None) -> QueuePlace | None:
        with self._lock:
            own = [ticket for ticket in queue if ticket.job.client == client]
            ticket = min(own, key=lambda one: one.order, default=None)
            if ticket is None or not ticket.waits:
                return None
            before = queue.before(ticket)
            left = sum(one.left for one in before)
            return QueuePlace(before=len(before), seconds=None if seconds_a_unit is None else left * seconds_a_unit)


def _moving_average(average: float | None, measured: float) -> float:
    return measured if average is None else average + LATEST_WEIGHT * (measured - average)
