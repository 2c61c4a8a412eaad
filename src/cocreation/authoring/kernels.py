"""Kernels that start warm: forked from a process that has done the imports.

Importing pandas, seaborn, semopy and factor_analyzer takes a kernel seconds;
a fit takes milliseconds. A fork server imports them once, and every kernel
started through :class:`ForkedKernel` is a fork of it. Where the platform
cannot fork, kernels start as usual.

The server is a process of its own that reads requests from its standard input
and ends with it. (multiprocessing's fork server would import the caller's main
module into every kernel.)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

__all__ = ["ForkedKernel", "can_fork", "refuse_more", "warm_kernels"]

#: bytes that the name of a socket may have, where the system allows 107 with what is appended
_LONGEST = 100


def can_fork() -> bool:
    """Say whether kernels can be forked here (Linux; macOS frameworks do not survive it)."""
    return sys.platform.startswith("linux")


@contextlib.contextmanager
def warm_kernels() -> Iterator[bool]:
    """Within the block every kernel this process starts is forked, where the platform can.

    Yields
    ------
    bool
        Whether kernels are forked.
    """
    if not can_fork():
        yield False
        return
    # The environment variable that names the provisioner is read only once a process.
    factory = KernelProvisionerFactory.instance()
    _SERVER.open()
    before = factory.default_provisioner_name
    factory.default_provisioner_name = "cocreation-forked"
    try:
        yield True
    finally:
        factory.default_provisioner_name = before


def refuse_more() -> None:
    """Fork no kernel any more until the next :func:`warm_kernels`, and wait for none: whoever asks gets an error."""
    _SERVER.close()


class ForkedKernel(LocalProvisioner):
    """Start a Python kernel as a fork of a process that has imported the course's libraries."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the kernel talk through sockets in a folder of its own.

        Ports would have to be found before the kernel takes them, and now and then another program is quicker.
        """
        manager = self.parent
        if manager and can_fork() and self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
            sockets = os.path.join(self._folder.name, "at")
            if len(os.fsencode(sockets)) <= _LONGEST:
                manager.transport, manager.ip = "ipc", sockets
        return await super().pre_launch(**kwargs)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets with the last of its kernels."""
        await super().cleanup(restart)
        if not restart and self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel; anything but this interpreter's ipykernel starts as usual."""
        ours = cmd[1:3] == ["-m", "ipykernel_launcher"] and os.path.realpath(cmd[0]) == os.path.realpath(sys.executable)
        if not (ours and can_fork()):
            return await super().launch_kernel(cmd, **kwargs)
        cwd = kwargs.get("cwd")
        self.process = _Fork(_SERVER.fork(cmd[3:], kwargs.get("env") or os.environ, cwd))
        self.pid = self.process.pid
        # The fork makes itself the leader of a session, so its group is its own.
        self.pgid = self.pid
        self.cwd = cwd
        return self.connection_info


class _Fork:
    """A process forked elsewhere, with the part of Popen's face that LocalProvisioner looks at."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        # The server reaps its forks and does not pass on how they ended.
        if self.returncode is None and not self._signalled(0):
            self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("ipykernel", timeout or 0)
            time.sleep(0.02)
        return 0

    def send_signal(self, signum: int) -> None:
        self._signalled(signum)

    def terminate(self) -> None:
        self._signalled(signal.SIGTERM)

    def kill(self) -> None:
        self._signalled(signal.SIGKILL)

    def _signalled(self, signum: int) -> bool:
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            return False
        return True


class _Server:
    """The client's side of the fork server, started at the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answered = self._closed = False

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        self._closed = True
        # While it imports, whoever has asked waits, and no kernel is its child yet. Later it must stay to reap them;
        # it ends with this process.
        if self._process is not None and not self._answered:
            self._process.kill()

    def fork(self, argv: list[str], env: Any, cwd: object) -> int:
        request = json.dumps({"argv": argv, "env": dict(env), "cwd": None if cwd is None else str(cwd)})
        with self._lock:
            if self._closed:
                raise RuntimeError("No kernel is forked any more.")
            if self._process is None or self._process.poll() is not None:
                self._answered = False
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    # matplotlib reads its settings when it is imported, and that is here
                    env=dict(env),
                    # Ctrl-C in the terminal is for this process, which ends that one
                    start_new_session=True,
                )
            to, answers = self._process.stdin, self._process.stdout
            to.write(request + "\n")
            to.flush()
            answer = answers.readline()
            self._answered = bool(answer)
        if not answer:
            raise RuntimeError("The process that forks kernels has ended; its error stands above.")
        return int(answer)


_SERVER = _Server()


def _serve() -> None:
    """Import once, then fork a kernel for every line on standard input."""
    from . import preload  # noqa: F401

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a kernel prints to the terminal must not be read as an answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the forks
    server = os.getpid()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            answers.close()
            _become_kernel(json.loads(line), server)
        print(pid, file=answers, flush=True)


def _become_kernel(request: dict[str, Any], server: int) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.environ.clear()
    os.environ.update(request["env"])
    if request["cwd"]:
        os.chdir(request["cwd"])
    # As python -m ipykernel_launcher would have it.
    sys.argv = ["ipykernel_launcher", *request["argv"]]
    sys.path = [entry for entry in sys.path if entry not in ("", request["cwd"])]
    sys.path.insert(0, "")
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(
        argv=[
            *request["argv"],
            # matplotlib is imported already, so the variable by which ipykernel chooses
            # its backend comes too late; without this every figure vanishes silently.
            "--matplotlib=inline",
            # The kernel goes when the fork server goes, and that with the process that started it.
            f"--IPKernelApp.parent_handle={server}",
        ]
    )
    os._exit(0)


if __name__ == "__main__":
    _serve()
