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

from vsr_runtime.log import flush, log, log_buffered

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
