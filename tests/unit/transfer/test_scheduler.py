"""Jobs that run at the same time: how many, in which order, and how they stop."""

from __future__ import annotations

import _thread
import threading
import time

import pytest

from azext_acrartifact import errors
from azext_acrartifact.transfer.concurrency import Concurrency
from azext_acrartifact.transfer.scheduler import STOP_TIME, Job, Scheduler
from azext_acrartifact.transport.messages import Request
from tests.support.server import RawResponse


@pytest.fixture
def scheduler(http):
    return lambda concurrency=3: Scheduler(Concurrency(http, concurrency))


@pytest.mark.parametrize("bulk", [True, False])
def test_no_more_than_the_given_number_run_at_once(scheduler, bulk: bool) -> None:
    lock, running, most, done = threading.Lock(), [0], [0], []

    def work(number: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1
            done.append(number)

    scheduler(3).run([Job(lambda n=n: work(n), n, bulk) for n in range(20)])
    assert sorted(done) == list(range(20))
    assert 2 <= most[0] <= 3


def test_the_processor_time_of_each_job_is_accounted_for(http) -> None:
    class Noted(Concurrency):
        def release(self, bulk: bool, worked: float = 0.0) -> None:
            super().release(bulk, worked)
            worked_by_job.append(worked)

    def work() -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass

    worked_by_job: list[float] = []
    Scheduler(Noted(http, 1)).run([Job(work, 2, False), Job(lambda: time.sleep(0.02), 1, False)])
    busy, idle = worked_by_job
    assert busy >= 0.02 > idle >= 0.0


def test_the_largest_comes_first(scheduler) -> None:
    done: list[int] = []
    scheduler(1).run([Job(lambda n=n: done.append(n), n, False) for n in (3, 9, 1, 7)])
    assert done == [9, 7, 3, 1]


def test_threads_help_at_a_blob_when_no_other_is_left_to_begin(scheduler) -> None:
    done: list[str] = []
    blobs = (("large", 9, 3), ("medium", 5, 2), ("small", 2, 1))
    jobs = [Job(lambda n=name: done.append(n), size, True, helps) for name, size, n in blobs for helps in range(n)]
    scheduler(1).run(jobs)
    assert done == ["large", "medium", "small", "large", "medium", "large"]


def test_nothing_to_do_is_done_at_once(scheduler) -> None:
    scheduler().run([])


def test_the_first_error_stops_the_rest_and_is_raised(scheduler, http) -> None:
    done: list[int] = []

    def fail() -> None:
        time.sleep(0.02)
        raise errors.DigestMismatchError("The first")

    def wait() -> None:
        http.waiter.wait(30, "long")

    jobs = [Job(fail, 100, True), Job(wait, 99, True), *[Job(lambda n=n: done.append(n), n, True) for n in range(20)]]
    began = time.monotonic()
    with pytest.raises(errors.DigestMismatchError, match="The first"):
        scheduler(2).run(jobs)
    assert time.monotonic() - began < 25, "sooner than the wait's 30 s"
    assert (done, http.waiter.cancelled.is_set()) == ([], True)


def test_any_other_exception_is_raised_too(scheduler) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        scheduler().run([Job(fail, 1, True)])


def test_cancelled_work_raises_that(scheduler, http) -> None:
    def give_up() -> None:
        raise errors.CancelledError("Stopped")

    with pytest.raises(errors.CancelledError):
        scheduler().run([Job(give_up, 1, True)])


def test_an_error_wakes_a_thread_that_waits_for_a_response(serve, scheduler, http) -> None:
    server = serve(RawResponse(b"", "hang"))
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            http.send(Request("GET", server.url + "/"))
        except BaseException as error:
            ended.append(error)
            raise

    def fail() -> None:
        deadline = time.monotonic() + 20
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        raise errors.LocalFileError("No space")

    began = time.monotonic()
    with pytest.raises(errors.LocalFileError):
        scheduler(2).run([Job(ask, 2, True), Job(fail, 1, True)])
    assert time.monotonic() - began < 25, "sooner than the 30 s after which a response is given up"
    end = time.monotonic() + 10
    while not ended and time.monotonic() < end:  # the threads are not waited for longer than STOP_TIME
        time.sleep(0.01)
    assert len(ended) == 1


def test_an_interrupt_breaks_running_jobs_and_waits_a_second_at_most(scheduler, http) -> None:
    stuck = threading.Event()

    def interrupt() -> None:
        _thread.interrupt_main()
        http.waiter.wait(30, "long")

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        scheduler(2).run([Job(lambda: stuck.wait(60), 2, True), Job(interrupt, 1, True)])
    assert time.monotonic() - began < 25, "sooner than the wait's 30 s, and than the job that does not notice"
    assert STOP_TIME < 1
    stuck.set()


def test_an_interrupt_while_a_thread_starts_passes_through(scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Thread.start` waits for the thread, which by then may not have begun, and cannot be joined."""

    def interrupted(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scheduler(2).run([Job(lambda: None, 1, True)])


@pytest.mark.parametrize("given", [0, 1])
def test_the_threads_that_the_system_gives_do_the_work(scheduler, monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    start, started, done = threading.Thread.start, [], []

    def refuse(thread: threading.Thread) -> None:
        if len(started) == given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    jobs = [Job(lambda n=n: done.append(n), n, True) for n in range(5)]
    if given:
        scheduler(3).run(jobs)
        assert sorted(done) == [0, 1, 2, 3, 4]
    else:
        with pytest.raises(RuntimeError, match="new thread"):
            scheduler(3).run(jobs)
        assert done == []
