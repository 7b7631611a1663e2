"""Nodes apart from one another: each a network namespace on one bridge, with an agent of its own, as separate machines are.

What the tests of whole sites share. Wants root, ip, nft, crun and mksquashfs; `missing` says which is not there.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import PASSWORD, PROGRAMS, want

NODE = os.path.join(PROGRAMS, "hanse-node")
WAIT_SECONDS = 60  # a machine under load


class Ground:
    """The bridge that all stand on: tag is in the name of all that is made (4 letters), net its first three numbers."""

    def __init__(self, tag, net, names):
        self.tag, self.net, self.names = tag, net, names
        self.here = f"{net}.1"
        self.small = ()  # whose disk is one of 8 MiB

    def raise_bridge(self):
        ran("ip", "link", "add", self.tag, "type", "bridge")
        ran("ip", "addr", "add", f"{self.here}/24", "dev", self.tag)
        ran("ip", "link", "set", self.tag, "up")

    def raze(self):
        ran("ip", "link", "delete", self.tag, good=False)

    def address(self, name):
        return f"{self.net}.{11 + self.names.index(name)}"

    def name_at(self, address):
        return self.names[int(address.rsplit(".", 1)[1]) - 11]


def missing():
    if os.geteuid() != 0:
        return "root"
    for program in ("crun", "nft", "ip", "tc", "nsenter", "unshare", "mke2fs", "mksquashfs", "unsquashfs", "busybox"):
        if shutil.which(program) is None and not os.path.exists(f"/usr/sbin/{program}"):
            return f"the program {program}"
    return None


def ran(*words, good=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    want(done.returncode == 0 or not good, f"{' '.join(words[:6])}: {done.stdout}{done.stderr}")
    return done.stdout


def until(what, fn, seconds=WAIT_SECONDS):
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = fn()
            if last:
                return last
        except (OSError, ValueError, KeyError, IndexError) as e:
            last = e
        time.sleep(0.2)
    want(False, f"{what} did not come true in {seconds} s ({last})")
    return None


def made(answer, what):
    want(answer.status in (200, 201), f"{what}: {answer}")
    return answer.json


class Door:
    """hansed listens on loopback: this is its address for the nodes."""

    def __init__(self, ground, target):
        self.target = target.rsplit(":", 1)
        self.listener = socket.create_server((ground.here, 0), backlog=64)
        self.address = f"{ground.here}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection((self.target[0], int(self.target[1])))
            except OSError:
                return
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one, other):
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (one, other):
                s.close()


class Node:
    def __init__(self, ground, place, name):
        self.ground = ground
        self.name = name
        self.space = f"{ground.tag}{name}"
        self.cable = f"{ground.tag}-{name}"
        self.home = os.path.join(place, name)
        self.log = os.path.join(place, name + ".log")
        self.flags = ["--home", self.home, "--run", os.path.join(place, "run-" + name), "--bridge", self.space, "--network", "10.98.0.0",
                      "--open", f"{ground.net}.0/24", "--address", ground.address(name), "--report-seconds", "2"]
        self.agent = None
        self.machine = None
        self.groups = os.path.join(place, "groups-" + name)
        self.id = None

    def inside(self, *words):
        return ["nsenter", f"--target={self.machine.pid}", "--mount", "--net", "--", *words]

    def power(self):
        """A process whose namespaces are the machine: its network, with the /sys that shows it, and its mounts."""
        os.makedirs(self.groups)
        script = (f"mount --rbind /sys/fs/cgroup {self.groups} && mount -t sysfs sysfs /sys && mount --rbind {self.groups} /sys/fs/cgroup "
                  "&& echo up && exec sleep 100000")
        self.machine = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.space}", "unshare", "-m", "sh", "-c", script],
                                        stdout=subprocess.PIPE, text=True)
        want(self.machine.stdout.readline() == "up\n", "no machine")

    def plug(self):
        if self.name in self.ground.small:  # to be filled
            os.makedirs(self.home)
            ran("mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", self.ground.tag, self.home)
        ran("ip", "netns", "add", self.space)
        ran("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ran("ip", "link", "set", self.cable, "master", self.ground.tag, "up")
        self.power()
        ran(*self.inside("ip", "link", "set", "lo", "up"))
        ran(*self.inside("ip", "addr", "add", f"{self.ground.address(self.name)}/24", "dev", "eth0"))
        ran(*self.inside("ip", "link", "set", "eth0", "up"))
        ran(*self.inside("ip", "route", "add", "default", "via", self.ground.here))

    def run(self, *words, good=True):
        return ran(*self.inside(NODE, *self.flags, *words), good=good)

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.agent = subprocess.Popen(self.inside(NODE, *self.flags, "run"), stderr=log, stdout=log)

    def kill(self):
        if self.agent is not None:
            self.agent.send_signal(signal.SIGKILL)
            self.agent.wait(60)
            self.agent = None

    def told(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def local(self):
        return {s["id"]: s for s in json.loads(self.run("status"))}

    def sweep(self):
        self.kill()
        if os.path.exists(os.path.join(self.home, "services")):
            left = [{"id": i, "generation": 1 << 40, "state": "gone", "runtime": "container"} for i in self.local()]
            path = self.home + ".end"
            with open(path, "w", encoding="utf-8") as f:
                json.dump({"revision": 1, "services": left}, f)
            self.run("run", "--desired", path, "--once", good=False)
        if self.machine is not None:
            self.machine.kill()
            self.machine.wait(60)
        if os.path.ismount(self.home):
            ran("umount", self.home, good=False)
        ran("ip", "netns", "delete", self.space, good=False)
        ran("ip", "link", "delete", self.cable, good=False)


def image(store, place, name, applets, operator, party):
    """A root of busybox, registered."""
    tree = os.path.join(place, "tree")
    for path in ("bin", "etc", "tmp", "root", "proc", "dev", "sys", "data"):
        os.makedirs(os.path.join(tree, path))
    shutil.copy(shutil.which("busybox"), os.path.join(tree, "bin/busybox"))
    for applet in applets:
        os.symlink("busybox", os.path.join(tree, "bin", applet))
    with open(os.path.join(tree, "etc/passwd"), "w", encoding="utf-8") as f:
        f.write("root:x:0:0:root:/root:/bin/sh\n")
    ran("mksquashfs", tree, os.path.join(store, "images", name), "-noappend", "-quiet", "-no-progress")
    made(operator.post(f"/v1/parties/{party}/images", {"name": name, "file": name, "format": "squashfs"}), "image")


def sell(server, op, party, name, text):
    """A kind of service, sold by a plan of its name to a new client: (client's party, its client, the agreement)."""
    made(op.post(f"/v1/parties/{party}/kinds", {"text": text}), "kind")
    made(op.post(f"/v1/parties/{party}/items", {"code": "box", "name": "Box", "category": "app", "income": "Services"}), "item")
    made(op.post(f"/v1/parties/{party}/plans", {"item": "box", "code": name, "name": name, "charges": [
        {"label": name, "kind": "flat", "price": "1.00"}]}), "plan")
    made(op.post(f"/v1/parties/{party}/offers", {"plan": name, "kind": name}), "offer")
    link = made(op.post(f"/v1/parties/{party}/invitations", {"prefill": {"name": "Client", "address": {"country": "FR"}}}), "invitation")["link"]
    got = made(server.client().post("/v1/invitations/actions/accept", {
        "token": link.rsplit("/", 1)[1], "email": "c@client.test", "name": "Cleo", "password": PASSWORD}), "client")
    buyer = got["party"]["id"]
    token, _ = server.log_in("c@client.test")
    client = server.client(token, timeout=60)
    book = made(op.post(f"/v1/parties/{party}/price-books", {"name": "public"}), "book")["id"]
    body = {"kind": "supply", "to": buyer, "terms": {"book": book}}
    agreement = made(op.post(f"/v1/parties/{party}/agreements", body), "agreement")["id"]
    made(op.post(f"/v1/agreements/{agreement}/actions/offer", {}), "offer")
    made(client.post(f"/v1/agreements/{agreement}/actions/sign", {}), "signature")
    return buyer, client, agreement
