"""What the tests from outside share: a hansed of their own, an operator, and a client over raw HTTP.

Every server listens on a free loopback port, keeps its store in a temporary folder, and is ended by
the process id that started it. Nothing outside of the standard library is used.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = os.environ.get("HANSE_PROGRAMS", os.path.join(ROOT, "build/release/src/main"))
HANSED = os.path.join(PROGRAMS, "hansed")
HANSE = os.path.join(PROGRAMS, "hanse")
START_SECONDS_MAX = 60  # a machine under load; how fast it is, the benchmarks say
WAIT_SECONDS = 180  # a limit, not a measure: other tests work beside it
PASSWORD = "a long and plain passphrase 7"


class Failure(Exception):
    """What was promised is not so."""


def want(condition, text):
    if not condition:
        raise Failure(text)


def until(what, fn, seconds=WAIT_SECONDS):
    """What fn returns as soon as it is something. That it cannot be asked for a moment is no failure yet."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = fn()
            if last:
                return last
        except (OSError, ValueError, KeyError, IndexError, http.client.HTTPException) as e:
            last = e
        time.sleep(0.1)
    raise Failure(f"{what} did not come true in {seconds} s ({last})")


def made(answer, what):
    want(answer.status in (200, 201), f"{what}: {answer}")
    return answer.json


def lacks(programs):
    """What a test of services in containers and machines needs and this machine has not, or None."""
    if os.geteuid() != 0:
        return "root"
    for program in programs:
        if shutil.which(program) is None and not os.path.exists(f"/usr/sbin/{program}"):
            return f"the program {program}"
    return None


class Tally:
    """Counts promises kept and broken, and prints the sum as the runner reads it."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, promise, fn, *args):
        began = time.monotonic()
        try:
            fn(*args)
            self.passed += 1
            word = "ok  "
        except Failure as e:
            self.failed += 1
            word = "FAIL"
            promise = f"{promise}: {e}"
        except (OSError, http.client.HTTPException, subprocess.SubprocessError, ValueError, KeyError) as e:
            self.failed += 1
            word = "FAIL"
            promise = f"{promise}: {type(e).__name__}: {e}"
        promise = promise.rstrip().replace("\n", " | ")  # a log shows the line of what failed
        print(f"{word} {promise} ({time.monotonic() - began:.2f} s)", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


class Answer:
    def __init__(self, reply):
        self.status = reply.status
        self.headers = reply.headers
        self.bytes = reply.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    def __str__(self):
        return f"{self.status} {self.bytes[:300]!r}"


class Client:
    """One kept-alive connection; a broken one is an OSError or an HTTPException for the caller."""

    def __init__(self, address, token=None, source=None, timeout=30):
        host, port = address.rsplit(":", 1)
        self.wire = http.client.HTTPConnection(
            host, int(port), timeout=timeout, source_address=(source, 0) if source else None
        )
        self.token = token

    def call(self, method, path, body=None, headers=None):
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        if body is not None:
            body = json.dumps(body)
            sent.setdefault(
                "Content-Type", "application/merge-patch+json" if method == "PATCH" else "application/json"
            )
        self.wire.request(method, path, body=body, headers=sent)
        return Answer(self.wire.getresponse())

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body=body, **more)

    def close(self):
        self.wire.close()


class Server:
    """A hansed on a folder of its own, or on the database of a postgresql: address."""

    def __init__(self, folder, *flags, environment=None):
        self.folder = folder
        store = folder if folder.startswith("postgresql:") else "sqlite:" + folder
        self.lines = []
        self.address = None
        self.link = None
        self.changed = threading.Condition()
        # An ordinary soft limit, so that what the server needs it has to ask for itself.
        self.process = subprocess.Popen(
            ["sh", "-c", 'ulimit -Sn 1024; exec "$0" "$@"', HANSED, "--store", store]
            + ["--listen", "127.0.0.1:0"] + list(flags),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=dict(os.environ, **(environment or {})),
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                found = re.search(r"https?://(127\.0\.0\.1:\d+)(/invite/\S+)?", line)
                if found:
                    self.address = found.group(1)
                    self.link = (found.group(2) and found.group(0)) or self.link
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    @property
    def output(self):
        return "\n".join(line for line in self.lines if line is not None)

    def ready(self):
        """Wait until it answers. Returns itself."""
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with self.changed:
                self.changed.wait_for(lambda: self.address or None in self.lines, timeout=0.5)
                want(None not in self.lines or self.address, "hansed ended at its start: " + self.output)
            if self.address:
                try:
                    client = Client(self.address, timeout=5)
                    if client.get("/readyz").status == 200:
                        client.close()
                        return self
                except (OSError, http.client.HTTPException):
                    pass
                time.sleep(0.005)
        raise Failure("hansed did not answer in time: " + self.output)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """The ordinary end. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def end(self):
        if self.process.poll() is None:
            self.kill()

    def refused(self, seconds=10):
        """Wait for a start that fails. Returns (exit code, output)."""
        try:
            rc = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("it runs, and should have refused: " + self.output) from None
        self.reader.join(5)
        return rc, self.output

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def client(self, token=None, **more):
        return Client(self.address, token, **more)

    def accept(self, link, email, name="Owner"):
        """Accept an invitation and log in. Returns what log_in does."""
        body = {"token": link.rsplit("/", 1)[1], "email": email, "name": name, "password": PASSWORD}
        got = self.client().post("/v1/invitations/actions/accept", body)
        want(got.status == 201, f"the invitation was not accepted: {got}")
        return self.log_in(email)

    def found_operator(self):
        """Accept the first invitation, log in, make a token. Returns (token, operator's id)."""
        with self.changed:
            self.changed.wait_for(lambda: self.link, timeout=START_SECONDS_MAX)
        want(self.link, "no link was printed: " + self.output)
        return self.accept(self.link, "owner@operator.test", "Olga Owner")

    def log_in(self, email):
        client = self.client()
        got = client.post("/v1/session", {"email": email, "password": PASSWORD})
        want(got.status == 201, f"no session: {got}")
        cookie = got.headers["Set-Cookie"].split(";", 1)[0]
        own = {"Cookie": cookie, "X-CSRF": got.json["csrf"]}
        me = client.get("/v1/me", headers=own).json
        scopes = client.get("/v1/roles", headers=own).json["items"]
        mine = {m["role"] for m in me["memberships"]}
        permissions = {p for role in scopes if role["id"] in mine for p in role["permissions"]}
        permissions = sorted(permissions | {"self:read", "self:write"})  # no role's, but every user's
        got = client.post("/v1/tokens", {"name": "test", "scopes": permissions}, headers=own)
        want(got.status == 201, f"no token: {got}")
        client.close()
        return got.json["secret"], me["memberships"][0]["party"]


def folder():
    """A temporary folder that goes with the process."""
    return tempfile.TemporaryDirectory(prefix="hanse-test-")
