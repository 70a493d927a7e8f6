# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread of a daemon stands still, at a place that is chosen, while the others go on: ptrace(2)."""

import ctypes
import os
import platform
import signal
import struct

from .wait import eventually

# include/uapi/linux/ptrace.h
CONT, DETACH, SYSCALL, SEIZE, INTERRUPT, SYSCALL_INFO = 7, 17, 24, 0x4206, 0x4207, 0x420e
OPTION_MARK_CALLS = 1  # PTRACE_O_TRACESYSGOOD
MARKED_TRAP = signal.SIGTRAP | 0x80
EVENT_STOP = 128
ENTRY, EXIT = 1, 2
WAIT_ALL = 0x40000000  # __WALL: for threads, too

CALLS = {"x86_64": {"ppoll": 271, "sendmmsg": 307}, "aarch64": {"ppoll": 73, "sendmmsg": 269}}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def thread_of(pid, name):
    """The id of the process's thread of that name."""
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return int(tid)
    raise LookupError(f"{pid} has no thread {name}")


class Tracee:
    """A thread in our hand until close(); a context manager. Only the thread that made it may use it.

    As long as it is, its process cannot end unless somebody asks is_gone().
    """

    def __init__(self, tid):
        self.tid = tid
        self._is_stopped = self._is_gone = False
        self._ptrace(SEIZE, OPTION_MARK_CALLS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """It goes on, if it lives."""
        try:
            if not self.is_gone():
                self.stop()
                self.release()
        except ProcessLookupError:
            eventually(self.is_gone)

    def stop(self):
        """It stands still wherever it is, in a system call as if that had been interrupted."""
        if not self._is_stopped:
            self._ptrace(INTERRUPT)
            self._wait(lambda status: status >> 16 == EVENT_STOP)

    def run_to_signal(self, number):
        """It stands still before it gets this signal, which resume() gives it."""
        self.resume()
        self._wait(lambda status: _signal(status) == number)

    def run_to_call(self, name):
        """It stands still before it enters this system call."""
        number = CALLS[platform.machine()][name]
        self._run_to_mark(lambda: self._call() == (ENTRY, number))

    def run_to_return(self):
        """It has made the system call that it stood still before."""
        self._run_to_mark(lambda: self._call()[0] == EXIT)

    def resume(self, number=0, request=CONT):
        """It goes on, perhaps with a signal."""
        if self._is_stopped:
            self._is_stopped = False
            self._ptrace(request, number)

    def release(self, number=0):
        """The same, and it is in our hand no more."""
        self._ptrace(DETACH, number)
        self._is_stopped, self._is_gone = False, True

    def is_gone(self):
        """It has ended, or was released."""
        if not self._is_gone:
            self._look(lambda _: False, CONT)
        return self._is_gone

    def _run_to_mark(self, is_there):
        while True:
            self.resume(request=SYSCALL)
            self._wait(lambda status: os.WSTOPSIG(status) == MARKED_TRAP, SYSCALL)
            if is_there():
                return

    def _call(self):
        """(ENTRY or EXIT, the number of the call that it is about to enter)."""
        info = ctypes.create_string_buffer(88)
        self._ptrace(SYSCALL_INFO, ctypes.addressof(info), len(info))
        return struct.unpack_from("=B23xQ", info)

    def _ptrace(self, request, data=0, address=0):
        if _libc.ptrace(request, self.tid, address, data) < 0:
            error = ctypes.get_errno()
            raise OSError(error, f"ptrace({request:#x}, {self.tid}): {os.strerror(error)}")

    def _wait(self, is_there, request=CONT):
        def has_come():
            if self._look(is_there, request):
                return True
            if self._is_gone:
                raise ProcessLookupError(f"thread {self.tid} has ended")
        eventually(has_come, within=30, every=0.001, message=f"thread {self.tid} does not get there")

    def _look(self, is_there, request):
        """Whether it stands still where it should; elsewhere it goes on."""
        tid, status = os.waitpid(self.tid, os.WNOHANG | WAIT_ALL)
        if tid == 0:
            return False
        self._is_stopped = os.WIFSTOPPED(status)
        self._is_gone = not self._is_stopped
        if self._is_stopped and is_there(status):
            return True
        self.resume(_signal(status), request)
        return False


def _signal(status):
    """The signal that a thread stands still before, 0 if it does for another reason."""
    return 0 if status >> 16 or os.WSTOPSIG(status) == MARKED_TRAP else os.WSTOPSIG(status)
