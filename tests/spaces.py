"""Nodes in network namespaces of their own, one hansed for them, and a witness that hears their services.

A machine is a process whose namespaces it is: its own network, /sys, mounts and libvirt. The witness hears every beat of
a service and from which node it comes. Wants root, crun, nft, ip, mksquashfs and busybox.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import PASSWORD, PROGRAMS, ROOT, Server, want

NODE = os.path.join(PROGRAMS, "hanse-node")
WAIT_SECONDS = 60  # a machine under load
NET = "10.99.7"
WITNESS = f"{NET}.1"
NAMES = ("a", "b", "c")
APPLETS = "sh cat echo sleep nc tar mkdir mv rm true dd".split()
FLAGS = ["--write-per-minute", "1000000", "--read-per-minute", "1000000", "--login-per-minute", "1000"]
PULSE = """
name: pulse
version: "1"
title: Pulse
author: test
runtime: container
image: {name: pulse}
resources: {cpu: 200m, memory: 64 MiB, disk: 64 MiB}
volumes: [{name: data, path: /data}]
files:
  - path: /etc/beat.sh
    content: |
      while true; do
        n=$(cat /data/n 2>/dev/null || echo 0)
        n=$((n+1))
        echo $n >/data/n.new && mv /data/n.new /data/n
        echo $n | nc -w 1 WITNESS PORT
        sleep 0.3
      done
processes:
  - {name: beat, command: [/bin/sh, /etc/beat.sh], stop_ms: 500}
backup: [/bin/tar, -C, /data, -c, .]
restore: [/bin/tar, -C, /data, -x]
backup_every_s: 86400
"""


def missing(*more):
    if os.geteuid() != 0:
        return "root"
    for program in ("crun", "nft", "ip", "tc", "nsenter", "unshare", "mke2fs", "mksquashfs", "unsquashfs", "busybox", *more):
        if shutil.which(program) is None and not os.path.exists(f"/usr/sbin/{program}"):
            return f"the program {program}"
    return None


def small_machine():
    """The image of the small machine of the tests, built once for each version of tools/vm-image: (path, why not)."""
    tool = os.path.join(ROOT, "tools/vm-image")
    with open(tool, "rb") as f:
        version = hashlib.sha256(f.read()).hexdigest()[:8]
    path = os.path.join(ROOT, f"build/vm-test/vm-test-{version}.qcow2")
    if os.path.exists(path):
        return path, None
    os.makedirs(os.path.dirname(path), exist_ok=True)
    done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
    return path, f"the small machine: {done.stderr[-200:]}" if done.returncode != 0 else None


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


class Witness:
    """Hears beats: (when, which node, number)."""

    def __init__(self):
        self.beats = []
        self.listener = socket.create_server((WITNESS, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        while True:
            try:
                c, peer = self.listener.accept()
            except OSError:
                return
            with c:
                c.settimeout(2)
                try:
                    number = int(c.recv(100).decode().strip() or -1)
                except (OSError, ValueError):
                    continue
            self.beats.append((time.monotonic(), NAMES[int(peer[0].rsplit(".", 1)[1]) - 11], number))

    def of(self, name):
        return [b for b in self.beats if b[1] == name]


class Door:
    """hansed listens on loopback: this is its address for the nodes."""

    def __init__(self, target):
        self.target = target.rsplit(":", 1)
        self.listener = socket.create_server((WITNESS, 0), backlog=64)
        self.address = f"{WITNESS}:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def lead(self, target):
        """A hansed that was started anew has another port."""
        self.target = target.rsplit(":", 1)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((self.target[0], int(self.target[1])))
            except OSError:  # it is not there just now
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one, other):
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        except OSError:  # a close would leave the thread of the other direction waiting, and its peer
            for s in (one, other):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:  # it is over already
                    pass


class Node:
    def __init__(self, place, name, disk_mib=0):
        self.name = name
        self.disk_mib = disk_mib  # of the folder that it keeps all in; 0: as much as there is
        self.space = f"hnfo{name}"
        self.cable = f"hnfo-{name}"
        self.home = os.path.join(place, name)
        self.log = os.path.join(place, name + ".log")
        self.flags = ["--home", self.home, "--run", os.path.join(place, "run-" + name), "--bridge", f"hnfo{name}", "--network", "10.98.0.0",
                      "--open", f"{NET}.0/24", "--address", f"{NET}.{11 + NAMES.index(name)}", "--report-seconds", "2"]
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
                  "&& mkdir -p /run/libvirt /var/lib/libvirt && mount -t tmpfs run /run/libvirt "
                  "&& mount -t tmpfs lib /var/lib/libvirt && echo up && exec sleep 100000")
        self.machine = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.space}", "unshare", "-m", "sh", "-c", script],
                                        stdout=subprocess.PIPE, text=True)
        want(self.machine.stdout.readline() == "up\n", "no machine")

    def plug(self):
        if self.disk_mib > 0:
            os.makedirs(self.home)
            ran("mount", "-t", "tmpfs", "-o", f"size={self.disk_mib}m,mode=0711", "hnfo", self.home)
        ran("ip", "netns", "add", self.space)
        ran("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ran("ip", "link", "set", self.cable, "master", "hnfo", "up")
        self.power()
        ran(*self.inside("ip", "link", "set", "lo", "up"))
        ran(*self.inside("ip", "addr", "add", f"{NET}.{11 + NAMES.index(self.name)}/24", "dev", "eth0"))
        ran(*self.inside("ip", "link", "set", "eth0", "up"))
        ran(*self.inside("ip", "route", "add", "default", "via", WITNESS))

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
            left = [{"id": i, "generation": 1 << 40, "state": "gone", "runtime": s.get("runtime", "container")} for i, s in self.local().items()]
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


class Cloud:
    def __init__(self, place, names=NAMES, small=()):
        self.place = place
        store = os.path.join(place, "store")
        os.mkdir(store)
        ran("ip", "link", "add", "hnfo", "type", "bridge")
        ran("ip", "addr", "add", f"{WITNESS}/24", "dev", "hnfo")
        ran("ip", "link", "set", "hnfo", "up")
        self.store = store
        self.server = Server(store, *FLAGS).ready()
        self.door = Door(self.server.address)
        self.witness = Witness()
        self.token, self.op = self.server.found_operator()
        self.nodes = {name: Node(place, name, 8 if name in small else 0) for name in names}
        self.service = None
        self.backup = None

    def kill_hansed(self):
        """It dies, and is started anew with what it had."""
        self.server.kill()
        self.server = Server(self.store, *FLAGS).ready()
        self.door.lead(self.server.address)
        self.client = self.server.client(self.client_token, timeout=60)

    def operator(self):
        return self.server.client(self.token, timeout=60)

    def end(self):
        for node in self.nodes.values():
            node.sweep()
        ran("ip", "link", "delete", "hnfo", good=False)
        self.server.end()

    def show(self):
        return made(self.client.get(f"/v1/services/{self.service}"), "service")

    def backups(self):
        return made(self.client.get(f"/v1/services/{self.service}/backups"), "backups")["items"]

    def beats_now(self, name):
        count = len(self.witness.of(name))
        return until(f"beats of {name}", lambda: len(self.witness.of(name)) > count + 2)

    # --- what a test of services needs ---

    def join(self, sites):
        """All nodes are enrolled at their sites: {"a": "PAR"}. None runs yet."""
        op, ids = self.operator(), {}
        for site in sorted(set(sites.values())):
            ids[site] = made(op.post(f"/v1/parties/{self.op}/sites", {"name": site, "country": "FR", "city": site}), "site")["id"]
        for name, node in self.nodes.items():
            node.plug()
            got = made(op.post(f"/v1/sites/{ids[sites[name]]}/nodes", {"name": name}), "node")
            node.id = got["id"]
            node.run("enrol", "--server", "http://" + self.door.address, "--token", got["token"])

    def begin(self, *names):
        for name in names:
            self.nodes[name].start()
        for name in names:
            node = self.nodes[name]
            until(f"node {name} ready", lambda n=node: made(self.operator().get(f"/v1/nodes/{n.id}"), "node")["state"] == "ready")

    def at(self):
        """The name of the node where the service is."""
        node = self.show()["node"]
        return next(name for name, n in self.nodes.items() if n.id == node)

    def pulse_image(self):
        tree = os.path.join(self.place, "tree")
        for path in ("bin", "etc", "tmp", "root", "proc", "dev", "sys", "data"):
            os.makedirs(os.path.join(tree, path))
        shutil.copy(shutil.which("busybox"), os.path.join(tree, "bin/busybox"))
        for applet in APPLETS:
            os.symlink("busybox", os.path.join(tree, "bin", applet))
        with open(os.path.join(tree, "etc/passwd"), "w", encoding="utf-8") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\n")
        path = os.path.join(self.store, "images", "pulse")
        ran("mksquashfs", tree, path, "-noappend", "-quiet", "-no-progress")
        made(self.operator().post(f"/v1/parties/{self.op}/images", {"name": "pulse", "file": "pulse", "format": "squashfs"}), "image")

    def pulse(self):
        """The profile of a service that beats to the witness, and counts."""
        return PULSE.replace("WITNESS", WITNESS).replace("PORT", str(self.witness.port))

    def sells(self, kinds):
        """A plan of the same code for each kind: {"pulse": text of the profile}; and a client who may order them."""
        op, party = self.operator(), self.op
        made(op.post(f"/v1/parties/{party}/items", {"code": "box", "name": "Box", "category": "app", "income": "Services"}), "item")
        for code, text in kinds.items():
            made(op.post(f"/v1/parties/{party}/kinds", {"text": text}), "kind")
            made(op.post(f"/v1/parties/{party}/plans", {"item": "box", "code": code, "name": code, "charges": [
                {"label": code, "kind": "flat", "price": "1.00"}]}), "plan")
            made(op.post(f"/v1/parties/{party}/offers", {"plan": code, "kind": code}), "offer")
        link = made(op.post(f"/v1/parties/{party}/invitations", {"prefill": {"name": "Client", "address": {"country": "FR"}}}), "invitation")["link"]
        got = made(self.server.client().post("/v1/invitations/actions/accept", {
            "token": link.rsplit("/", 1)[1], "email": "c@client.test", "name": "Cleo", "password": PASSWORD}), "client")
        self.party = got["party"]["id"]
        self.client_token, _ = self.server.log_in("c@client.test")
        self.client = self.server.client(self.client_token, timeout=60)
        book = made(op.post(f"/v1/parties/{party}/price-books", {"name": "public"}), "book")["id"]
        body = {"kind": "supply", "to": self.party, "terms": {"book": book}}
        self.agreement = made(op.post(f"/v1/parties/{party}/agreements", body), "agreement")["id"]
        made(op.post(f"/v1/agreements/{self.agreement}/actions/offer", {}), "offer")
        made(self.client.post(f"/v1/agreements/{self.agreement}/actions/sign", {}), "signature")

    def order(self, plan, **more):
        body = {"agreement": self.agreement, "plan": plan, "name": plan, **more}
        return made(self.client.post(f"/v1/parties/{self.party}/services", body), "order")["id"]

    def do(self, action, body=None):
        return made(self.client.post(f"/v1/services/{self.service}/actions/{action}", body), action)
