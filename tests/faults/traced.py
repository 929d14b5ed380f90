"""Milena under strace, which counts its calls or puts faults into them."""
import harness


class Traced(harness.Milena):
    rules = ("trace=none",)  # strace -e

    @property
    def trace_path(self):
        return self.folder / "strace.out"

    def command(self):
        words = [word for rule in self.rules for word in ("-e", rule)]
        # -D: strace is the grandchild, so that signals and the status are the node's own.
        return ["strace", "-D", "-f", "-qq", "-o", str(self.trace_path), *words, *super().command()]
