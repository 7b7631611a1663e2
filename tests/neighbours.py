"""One pico runs wild while twenty others work: what the test from outside and the benchmark of that share.

The neighbours' requests leave by a clock, each on a connection of its own; the wild one is asked by another process, on some
connections, as fast as it answers.
"""

import json
import multiprocessing
import os
import re
import selectors
import socket
import time

from harness import Failure, want

NEIGHBOURS = 20
PACE_SECONDS = 0.025  # between two requests of one neighbour
WILD_CONNECTIONS = 4
FLOOD_CONNECTIONS = 1500  # more than may wait at one pico
ANSWER_SECONDS_MAX = 60
OPEN = "open"
GOOD = """ruleset good {
  meta { shares n }
  global { n = function() { ent:n.defaultsTo(0) } }
  rule add { select when good add always { ent:n := ent:n.defaultsTo(0) + 1 } }
}
"""
WILD = """ruleset wild {
  meta { shares n }
  global {
    n = function() { ent:n.defaultsTo(0) }
    deep = function(x) { deep(x + 1) + 1 }
    twice = function(s, left) { left == 0 => s | twice(s + s, left - 1) }
    spin = function(n) { n == 0 => 0 | spin(n - 1) }
    busy = function(n) { 0.range(n).map(function(i) { i * i }).length() }
  }
  rule endless { select when wild endless pre { x = 0.range(9999).map(function(i) { spin(9999) }) } noop() }
  rule deep { select when wild deep pre { x = deep(0) } noop() }
  rule big { select when wild big pre { s = twice("0123456789", 24) } noop() }
  rule match { select when wild match pre { m = (twice("a", 6) + "!").match(re#^(a+)+$#) } noop() }
  rule flood { select when wild flood pre { x = busy(50000) } noop() }
}
"""
# What it does, the event, how each answer sounds; None: some are handled, and some refused.
KINDS = (
    ("a ruleset that does not end", "endless", re.compile(r"out of steps")),
    ("a recursion without end", "deep", re.compile(r"Maximum call stack size exceeded")),
    ("a text of 160 MB", "big", re.compile(r"out of memory")),
    ("a regular expression that goes back and back", "match", re.compile(r"out of steps")),
    ("a flood of events", "flood", None),
)


class Street:
    """The neighbours in an engine, and how often each of them was asked to count."""

    def __init__(self, engine):
        self.engine = engine
        engine.register("file:///good.krl", GOOD)
        engine.register("file:///wild.krl", WILD)
        self.picos, self.channels = zip(*(engine.new_pico("file:///good.krl") for _ in range(NEIGHBOURS)))
        self.sent = [0] * NEIGHBOURS

    def counted(self):
        return [self.engine.developer("GET", f"/v1/picos/{pico}/queries/good/n") for pico in self.picos]


class Asker:
    """A connection on which the same event is sent again and again."""

    def __init__(self, address, channel, path):
        host, port = address.rsplit(":", 1)
        self.wire = socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS_MAX)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = f"POST /c/{channel}/{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n".encode()
        self.text = b""
        self.number = 0
        self.due = 0.0
        self.began = None

    def send(self, now):
        self.began = now
        self.text = b""
        self.wire.sendall(self.request)

    def read(self):
        """Status and body when the answer is whole, else None."""
        piece = self.wire.recv(65536)
        want(piece, "the engine closes a connection")
        self.text += piece
        head, found, body = self.text.partition(b"\r\n\r\n")
        if not found or len(body) < int(re.search(rb"Content-Length: (\d+)", head).group(1)):
            return None
        return int(head.split(b" ", 2)[1]), body


def work(street, rounds):
    """Each neighbour counts so often; the seconds of every answer. Anything but an answer with directives is a failure."""
    took = []
    begin = time.monotonic()
    waiting = selectors.DefaultSelector()
    all_of_them = [Asker(street.engine.customers, channel, "event-wait/good/add") for channel in street.channels]
    left = {one: rounds for one in all_of_them}
    for one in all_of_them:
        one.number = all_of_them.index(one)
        one.due = begin + PACE_SECONDS * one.number / NEIGHBOURS
        waiting.register(one.wire, selectors.EVENT_READ, one)
    while left:
        now = time.monotonic()
        for one in left:
            if one.began is None and one.due <= now:
                one.send(now)
                street.sent[one.number] += 1
        asleep = min((one.due for one in left if one.began is None), default=now + ANSWER_SECONDS_MAX)
        ready = waiting.select(max(0.0, asleep - time.monotonic()))
        now = time.monotonic()
        for key, _ in ready:
            one = key.data
            answer = one.read()
            if answer is None:
                continue
            want(answer[0] == 200 and b'"directives"' in answer[1], f"a neighbour hears {answer}")
            took.append(now - one.began)
            one.due = max(now, one.due + PACE_SECONDS)
            one.began = None
            left[one] -= 1
            if left[one] == 0:
                del left[one]
        want(all(one.began is None or now - one.began < ANSWER_SECONDS_MAX for one in left), "a neighbour waits")
    for one in all_of_them:
        one.wire.close()
    return took


def go_behind():
    """This process gets a processor when nobody else wants it."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def ask_wildly(address, channel, event, connections, behind, pipe):
    """On all connections at once, until it is told to stop and heard something; then how often it heard what. Says when all
    are open and have asked."""
    heard = {}
    if behind:
        go_behind()
    told = False
    waiting = selectors.DefaultSelector()
    waiting.register(pipe, selectors.EVENT_READ, None)
    for _ in range(connections):
        one = Asker(address, channel, f"event-wait/wild/{event}")
        waiting.register(one.wire, selectors.EVENT_READ, one)
        one.send(0)
    pipe.send(OPEN)
    while True:
        for key, _ in waiting.select():
            one = key.data
            if one is None:
                told = True
                waiting.unregister(pipe)
                continue
            answer = one.read()
            if answer is None:
                continue
            what = (answer[0], json.loads(answer[1]).get("error", ""))
            heard[what] = heard.get(what, 0) + 1
            one.send(0)
        if told and heard:
            pipe.send(heard)
            return


def start_asking(address, channel, event, waits, behind, pipe):
    connections = WILD_CONNECTIONS if waits else FLOOD_CONNECTIONS
    process = multiprocessing.Process(target=ask_wildly, args=(address, channel, event, connections, behind, pipe), daemon=True)
    process.start()
    return process


def wait_open(pipe):
    if not pipe.poll(ANSWER_SECONDS_MAX) or pipe.recv() != OPEN:
        raise Failure("the wild one cannot connect")


class Deaf:
    """The same as Wild, but what it asks is a socket that nobody reads: what the asking alone costs the neighbours."""

    def __init__(self, event, waits, behind=False):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2 * FLOOD_CONNECTIONS)
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = start_asking("127.0.0.1:%d" % self.listener.getsockname()[1], "c" + "0" * 24, event, waits, behind, theirs)

    def wait_open(self):
        wait_open(self.pipe)

    def end(self):
        self.process.terminate()
        self.process.join(ANSWER_SECONDS_MAX)
        self.listener.close()

    def go_away(self):
        pass


class Wild:
    """A new pico that runs wild, and the process that asks it; behind: it has what the others leave of the processors."""

    def __init__(self, street, event, waits, behind=False):
        self.street = street
        self.pico, channel = street.engine.new_pico("file:///wild.krl")
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = start_asking(street.engine.customers, channel, event, waits, behind, theirs)

    def wait_open(self):
        wait_open(self.pipe)

    def end(self):
        """{(status, error): how often}."""
        self.pipe.send("stop")
        heard = OPEN
        while heard == OPEN:
            if not self.pipe.poll(ANSWER_SECONDS_MAX):
                raise Failure("the wild one does not end")
            heard = self.pipe.recv()
        self.process.join(ANSWER_SECONDS_MAX)
        return heard

    def go_away(self):
        """Its owner refuses what waits there, and deletes it."""
        self.street.engine.developer("POST", f"/v1/picos/{self.pico}/suspension", {})
        self.street.engine.developer("DELETE", f"/v1/picos/{self.pico}")


def percentile(took, percent):
    ordered = sorted(took)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
