"""What the tests need of the kernel: file systems on loop devices, a full tmpfs, the ext4 shutdown ioctl, strace.

Each thing is tried before it is used; where the machine lacks it the test is skipped and says which. Mounts live in a
mount namespace of the test's own process and go with it.
"""
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients")]
import harness  # noqa: E402

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {done.stdout.strip()}")
    return done.stdout


def own_mounts():
    """A mount namespace of this process, if the kernel gives one; else mounts are undone one by one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and libc.unshare(CLONE_NEWNS) == 0:
        libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)


class Ext4:
    """An ext4 of `megabytes` on a loop device over a sparse file, mounted at `folder`/mnt.

    `backing` is where the file lies (a Path of its own file system, say); by default beside the mount point."""

    def __init__(self, test, folder, megabytes, backing=None):
        self.image = (backing or Path(folder)) / "disk.img"
        self.path = Path(folder) / "mnt"
        self.mounted = False
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        self.path.mkdir()
        try:
            run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", self.image)
            self.mount()
        except (OSError, FileNotFoundError) as error:
            raise unittest.SkipTest(f"no ext4 on a loop device: {error}") from None
        test.addCleanup(self.unmount, lazy=True)

    def mount(self):
        run("mount", "-o", "loop", self.image, self.path)
        self.mounted = True

    def unmount(self, lazy=False):
        if self.mounted:
            run("umount", *(["-l"] if lazy else []), self.path)
            self.mounted = False

    def cut_power(self):
        """What was not synced never reaches the device, and nothing does from now on."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            raise unittest.SkipTest(f"no ext4 shutdown ioctl: {error}") from None
        finally:
            os.close(folder)

    def power_on(self):
        """Mounted again: the journal is replayed. REQUIRES: nobody holds a file in it."""
        self.unmount()
        self.mount()


class Tmpfs:
    def __init__(self, test, folder, megabytes):
        self.path = Path(folder) / "tmpfs"
        self.path.mkdir()
        try:
            run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "milena-test", self.path)
        except OSError as error:
            raise unittest.SkipTest(f"no tmpfs: {error}") from None
        test.addCleanup(subprocess.run, ["umount", "-l", str(self.path)])

    def shrink(self):
        """To what is used now, or a little more."""
        used = os.statvfs(self.path)
        megabytes = ((used.f_blocks - used.f_bfree) * used.f_frsize >> 20) + 1
        for more in range(8):
            try:
                return self.resize(megabytes + more)
            except OSError:  # somebody still writes
                pass
        raise AssertionError(f"{self.path} cannot be shrunk to {megabytes} MB")

    def resize(self, megabytes):
        run("mount", "-o", f"remount,size={megabytes}m", self.path)


class FaultTestCase(harness.ServerTestCase):
    """Servers on disks of the test's own, which are gone before the case would start them once more."""

    def finish(self, server):
        server.close()
        self.servers.remove(server)


def need_strace():
    """Skips where strace is missing or may not trace."""
    if shutil.which("strace") is None:
        raise unittest.SkipTest("no strace")
    done = subprocess.run(["strace", "-qq", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1+", "true"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"strace may not trace here: {done.stderr.strip()}")


def main():
    """unittest.main, with an exit status of its own where every test that ran was skipped."""
    own_mounts()
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and len(result.skipped) == result.testsRun else 0)
