# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something to become true, and finding our own programs."""

import os
import pathlib
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class TimedOut(AssertionError):
    """What eventually() waited for did not happen."""


def eventually(predicate, within=5.0, every=0.02, message=None):
    """Calls predicate until it returns something true, and returns that.

    An AssertionError inside the predicate counts as not yet; the last one tells why it timed out.
    """
    deadline = time.monotonic() + within
    reason = None
    while True:
        try:
            result = predicate()
            if result:
                return result
            reason = None
        except AssertionError as error:
            reason = error
        if time.monotonic() > deadline:
            what = message() if callable(message) else message
            what = what or reason or getattr(predicate, "__name__", "it")
            raise TimedOut(f"not within {within:g} s: {what}")
        time.sleep(every)


def stays(predicate, during, every=0.02):
    """True if predicate holds, without a break, for that many seconds."""
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        if not predicate():
            return False
        time.sleep(every)
    return True


def build_directory():
    return ROOT / (os.environ.get("ROOST_BUILD") or os.environ.get("BUILD") or "build")


def find_program(name):
    """The path of one of our programs: roostd, roost, the lab's echo and probe, or one that measures."""
    build = build_directory()
    for folder in ("", "src", "src/ctl", "lab", "test/bench"):
        path = build / folder / name
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise FileNotFoundError(f"{name} is not in {build}: run make first")
