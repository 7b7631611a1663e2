"""What is used, and what it comes to: what was added up of it, and a copy of a cloud's books whose months are closed."""

import os
import sqlite3
import subprocess
import time

from harness import HANSED, Server, made, until, want

QUIET_SECONDS = 12  # a job adds up every ten seconds


def hansed(*words):
    done = subprocess.run([HANSED, *words], capture_output=True, text=True, timeout=120, check=False)
    want(done.returncode == 0, f"{words[:2]}: {done.stdout}{done.stderr}")
    return done.stdout


def usage(client, subscription):
    """What was added up of it: {meter: quantity as a text}."""
    items = made(client.get(f"/v1/subscriptions/{subscription}/usage"), "usage")["items"]
    return {u["meter"]: u["quantity"] for u in items}


def processor_us(client, subscriptions):
    """Microseconds of processor, as far as they are added up."""
    return sum(round(float(usage(client, s).get("cpu", 0)) * 1000000) for s in subscriptions)


def added_up(client, subscriptions):
    """All of it was sent: it is done when nothing came for longer than a job takes."""
    last, since = processor_us(client, subscriptions), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(0.5)
        now = processor_us(client, subscriptions)
        if now != last:
            last, since = now, time.monotonic()
    return last


def all_sent(home):
    """The agent of that folder has no usage left to send."""
    spool = f"file:{home}/usage.db?mode=ro"

    def none():
        db = sqlite3.connect(spool, uri=True)
        count = db.execute("SELECT count(*) FROM record").fetchone()[0]
        db.close()
        return count == 0

    until("all usage is sent", none)


class Later:
    """A copy of a Cloud's store on a test clock, whose months are closed one after the other, from this one on."""

    def __init__(self, cloud):
        self.cloud = cloud
        now = time.gmtime()
        clock = ["--test-clock", time.strftime("%Y-%m-%dT%H:%M:%SZ", now)]
        self.store, kept = os.path.join(cloud.place, "copy"), os.path.join(cloud.place, "kept")
        os.mkdir(self.store, 0o700)
        hansed("backup", kept, "--store", "sqlite:" + cloud.store)
        hansed("restore", kept, "--store", "sqlite:" + self.store, *clock)
        self.server = Server(self.store, *cloud.flags, *clock).ready()
        self.client = self.server.client(cloud.client_token, timeout=60)
        self.operator = self.server.client(cloud.token, timeout=60)
        self.year, self.month = now.tm_year, now.tm_mon

    def close_month(self):
        following = (self.year + self.month // 12, self.month % 12 + 1)
        clock = {"now": f"{following[0]}-{following[1]:02d}-01T00:00:00Z"}
        made(self.operator.post("/v1/test-clock/actions/move", clock), "clock")
        close = made(self.operator.post("/v1/closes", {"period": f"{self.year}-{self.month:02d}"}), "close")["id"]
        until("it is closed", lambda: made(self.operator.get(f"/v1/closes/{close}"), "close")["step"] == "done")
        self.year, self.month = following

    def invoice_lines(self):
        """Those of all invoices of the client."""
        found = []
        for d in made(self.client.get(f"/v1/parties/{self.cloud.party}/documents?kind=invoice&limit=200"), "documents")["items"]:
            found += made(self.client.get(f"/v1/documents/{d['id']}/lines?limit=200"), "lines")["items"]
        return found

    def end(self):
        """Its books hold."""
        self.server.stop()
        return hansed("ledger", "verify", "--store", "sqlite:" + self.store)


def cents(line):
    return round(float(line["net"]) * 100)
