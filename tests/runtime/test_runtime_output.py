"""Log lines stay whole, and none is lost, whoever else writes at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from vsr_runtime.log import Writer, flush, log, log_buffered

NOTES = """
import sys
from vsr_runtime.log import flush, log_buffered

for _ in range(20):
    for number in range(100):
        log_buffered(sys.argv[1], text="x" * 150, number=number)
    flush()
"""


@pytest.mark.subprocess
def test_lines_of_several_processes_do_not_mix_where_their_reader_is_slow():
    """Workers have one log; a pipe that is full takes what fits of a large write, and then somebody else's."""
    ours, theirs = os.pipe()
    running = [subprocess.Popen([sys.executable, "-c", NOTES, name], stderr=theirs) for name in ("a", "b")]
    os.close(theirs)
    time.sleep(0.5)  # in which they fill the pipe; where they are slower nothing could mix
    with os.fdopen(ours) as log_of_both:
        records = [json.loads(line) for line in log_of_both]
    assert [process.wait() for process in running] == [0, 0]
    assert Counter(record["event"] for record in records) == {"a": 2000, "b": 2000}
    for name in ("a", "b"):
        assert [record["number"] for record in records if record["event"] == name] == [*range(100)] * 20


def test_lines_of_several_threads_are_all_there(capsys):
    """Whichever way each of them writes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def write(name: int) -> None:
        for number in range(2000):
            (log_buffered if number % 3 else log)("line", thread=name, number=number)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    flush()
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert Counter(record["thread"] for record in records) == dict.fromkeys(range(4), 2000)


def test_lines_beyond_the_bound_are_counted_while_nobody_reads():
    """Logging returns at once; the reader that goes on is told how many lines are missing."""
    ours, theirs = os.pipe()
    writer = Writer(theirs, most=1 << 18)
    line = "x" * 1023 + "\n"
    for _ in range(1000):
        writer.put(line, 1)
    assert 400 < writer.dropped < 1000
    dropped, whole, noted = writer.dropped, 0, b""
    with os.fdopen(ours, "rb") as reader:
        while b"log_lines_dropped" not in noted:
            noted = reader.readline()
            whole += noted == line.encode()
    assert whole + dropped == 1000
    assert json.loads(noted)["lines"] == dropped
    os.close(theirs)


def test_lines_that_cannot_be_written_are_counted():
    """A full disk costs lines and nothing else."""
    full = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(full, most=1 << 18)
    for _ in range(3):
        writer.put("one line\n", 1)
    writer.drain(10.0)
    os.close(full)
    assert writer.dropped == 3


STALLED = """
from vsr_runtime.log import log

for number in range(5000):
    log("line", number=number, text="x" * 150)
"""


@pytest.mark.subprocess
def test_process_ends_although_nobody_reads_its_log():
    """It waits a moment for a reader that may only be slow."""
    ours, theirs = os.pipe()
    with subprocess.Popen([sys.executable, "-c", STALLED], stderr=theirs) as process:
        os.close(theirs)
        assert process.wait(30) == 0
    os.close(ours)
