"""What the benchmarks that are scripts share: load by wrk, the processors' time of a program, a place on the disk."""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build/bench")
UNITS = {"us": 1, "ms": 1000, "s": 1000000}


class Load:
    """What wrk measured: requests a second, and how long the slowest hundredth took at least."""

    def __init__(self, text):
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        number, unit = re.search(r"\n\s+99%\s+([\d.]+)(us|ms|s)", text).groups()
        self.p99_us = float(number) * UNITS[unit]


def wrk(url, connections, seconds, *more):
    """Anything but 2xx is no result."""
    threads = min(2, connections)
    got = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
                          *more, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in got or "Socket errors" in got:
        sys.exit("requests failed:\n" + got)
    return Load(got)


def cpu_us(process):
    """Time of the processors that a program used so far, as itself and in the kernel."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    tick_us = 1000000 / os.sysconf("SC_CLK_TCK")
    return int(fields[11]) * tick_us, int(fields[12]) * tick_us


def store():
    """On the disk of the build folder: a file system in memory would make commits free."""
    return tempfile.mkdtemp(prefix="store-", dir=BUILD)
