"""A hanse-pico of their own for tests from outside and benchmarks: free ports, a folder of its own, and a client over raw HTTP."""

import http.client
import json
import os
import re
import signal
import subprocess

from harness import PROGRAMS, want

ENGINE = os.path.join(PROGRAMS, "hanse-pico")
STOP_SECONDS_MAX = 60


class Engine:
    """One engine on the store in a folder."""

    def __init__(self, store, *flags):
        self.process = subprocess.Popen(
            [ENGINE, "--store", f"sqlite:{store}", "--listen", "127.0.0.1:0", "--developer-listen", "127.0.0.1:0",
             "--log-level", "error", "--channel-per-minute", "0", *flags], stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        second = self.process.stdout.readline()
        want("answers at" in first and second.startswith("Developers:"), f"the engine says {first!r} {second!r}")
        self.customers = first.split("http://")[1].strip()
        self.developers = second.split("http://")[1].strip()
        self.wire = http.client.HTTPConnection(self.developers, timeout=STOP_SECONDS_MAX)
        self.root = self.developer("GET", "/v1/picos?limit=1")["items"][0]["id"]

    def developer(self, method, path, body=None):
        """JSON of the answer; anything but a success is a failure."""
        sent = {} if body is None else {"Content-Type": "application/json"}
        self.wire.request(method, path, body=None if body is None else json.dumps(body), headers=sent)
        reply = self.wire.getresponse()
        text = reply.read()
        want(reply.status < 300, f"{method} {path}: {reply.status} {text[:300]!r}")
        return json.loads(text) if text else None

    def register(self, url, source):
        return self.developer("POST", "/v1/rulesets", {"url": url, "source": source})

    def new_pico(self, *urls):
        """A child of the root with these rulesets of the registry: its id and a channel."""
        pico = self.developer("POST", f"/v1/picos/{self.root}/children", {"name": "child"})["id"]
        for url in urls:
            self.developer("POST", f"/v1/picos/{pico}/rulesets", {"url": url})
        return pico, self.new_channel(pico)

    def new_channel(self, pico):
        everything = {"allow": [{"domain": "*", "name": "*"}], "deny": []}
        queries = {"allow": [{"rid": "*", "name": "*"}], "deny": []}
        return self.developer("POST", f"/v1/picos/{pico}/channels",
                              {"tags": ["test"], "eventPolicy": everything, "queryPolicy": queries})["id"]

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def end(self):
        self.wire.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_SECONDS_MAX)
        self.process.stdout.close()
