"""Nodes apart from one another: each a network namespace on one bridge, with an agent of its own, as separate machines are.

What the tests of several nodes share. A machine is a process whose namespaces it is: its own network, /sys, mounts and libvirt.
Wants root, ip, nft, crun and mksquashfs; `missing` says which is not there.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from harness import HANSE, PASSWORD, PROGRAMS, ROOT, Server, lacks, made, until, want

NODE = os.path.join(PROGRAMS, "hanse-node")
POINTS = os.path.join(ROOT, "build/gcc/tests/points/hanse-node-points")  # it dies where it is told (tests/points)
FLAGS = ["--write-per-minute", "1000000", "--read-per-minute", "1000000", "--login-per-minute", "1000"]


class Ground:
    """The bridge that all stand on: tag is in the name of all that is made (4 letters), net its first three numbers."""

    def __init__(self, tag, net, names):
        self.tag, self.net, self.names = tag, net, names
        self.here = f"{net}.1"

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


def missing(*more):
    return lacks(("crun", "nft", "ip", "tc", "nsenter", "unshare", "mke2fs", "mksquashfs", "unsquashfs", "busybox", *more))


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


def points(*steps):
    """The names of all points that these steps of an agent pass, from the sources (src/base/point.h)."""
    found = []
    for name in sorted(os.listdir(os.path.join(ROOT, "src/node"))):
        with open(os.path.join(ROOT, "src/node", name), encoding="utf-8") as f:
            found += re.findall(r'point_pass\("([^"]+)"\)', f.read())
    named = [n for n in found if n.split(".")[0] in steps]
    want(set(n.split(".")[0] for n in named) == set(steps), f"a step of {steps} has no point")
    return named


def ran(*words, good=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    want(done.returncode == 0 or not good, f"{' '.join(words[:6])}: {done.stdout}{done.stderr}")
    return done.stdout


class Door:
    """hansed listens on loopback: this is its address for the nodes."""

    def __init__(self, ground, target):
        self.target = target.rsplit(":", 1)
        self.listener = socket.create_server((ground.here, 0), backlog=64)
        self.address = f"{ground.here}:{self.listener.getsockname()[1]}"
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
    def __init__(self, ground, place, name, disk_mib=0):
        self.ground = ground
        self.name = name
        self.disk_mib = disk_mib  # of the folder that it keeps all in; 0: as much as there is
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
                  "&& mkdir -p /run/libvirt /var/lib/libvirt && mount -t tmpfs run /run/libvirt "
                  "&& mount -t tmpfs lib /var/lib/libvirt && echo up && exec sleep 100000")
        self.machine = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.space}", "unshare", "-m", "sh", "-c", script],
                                        stdout=subprocess.PIPE, text=True)
        want(self.machine.stdout.readline() == "up\n", "no machine")

    def plug(self):
        if self.disk_mib > 0:
            os.makedirs(self.home)
            ran("mount", "-t", "tmpfs", "-o", f"size={self.disk_mib}m,mode=0711", self.ground.tag, self.home)
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

    def start(self, die_at=()):
        """die_at: names of points (src/base/point.h); it dies at the first of them that it passes."""
        words = [POINTS, "--init", os.path.join(PROGRAMS, "hanse-init")] if die_at else [NODE]
        with open(self.log, "a", encoding="utf-8") as log:
            self.agent = subprocess.Popen(self.inside(*words, *self.flags, "run"), stderr=log, stdout=log, env={**os.environ, "HANSE_DIE_AT": ",".join(die_at)})

    def died_at(self):
        """Where it ended by itself just now; None: it runs."""
        if self.agent.poll() is None:
            return None
        want(self.agent.returncode == -signal.SIGKILL, f"the agent of {self.name} ended with {self.agent.returncode}")
        self.agent = None
        return re.findall(r"died at (\S+)", self.told())[-1]

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
    """One hansed, and the nodes of a ground; later: flags that it has from its second start on; clock: a test clock begins there."""

    def __init__(self, place, ground, small=(), later=(), clock=None):
        self.place, self.ground = place, ground
        self.store = os.path.join(place, "store")
        first = [*FLAGS, *(["--test-clock", clock] if clock else [])]
        self.flags = [*first, *later]
        os.mkdir(self.store)
        ground.raise_bridge()
        self.server = Server(self.store, *first).ready()
        self.token, self.op = self.server.found_operator()
        if later:
            self.server.stop()
            self.server = Server(self.store, *self.flags).ready()
        self.door = Door(ground, self.server.address)
        self.nodes = {name: Node(ground, place, name, 8 if name in small else 0) for name in ground.names}
        self.service = None

    def kill_hansed(self):
        """It dies, and is started anew with what it had."""
        self.server.kill()
        self.server = Server(self.store, *self.flags).ready()
        self.door.lead(self.server.address)
        self.client = self.server.client(self.client_token, timeout=60)

    def operator(self):
        return self.server.client(self.token, timeout=60)

    def hanse(self, *words, good=True, token=None):
        """The command line, as the operator or whose token it is; it leaves no file."""
        secret, scratch = os.path.join(self.place, "token"), os.path.join(self.place, "scratch")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(token or self.token)
        os.makedirs(scratch, exist_ok=True)
        environment = {**os.environ, "HANSE_URL": "http://" + self.server.address, "HANSE_TOKEN_FILE": secret, "HOME": self.place, "TMPDIR": scratch}
        done = subprocess.run([HANSE, *words], capture_output=True, text=True, timeout=600, check=False, env=environment)
        want((done.returncode == 0) == good, f"{words[:3]}: {done.returncode} {done.stdout}{done.stderr}")
        want(os.listdir(scratch) == [], f"{words[:3]} left {os.listdir(scratch)}")
        return done

    def end(self):
        for node in self.nodes.values():
            node.sweep()
        self.ground.raze()
        self.server.end()

    def show(self):
        return made(self.client.get(f"/v1/services/{self.service}"), "service")

    def join(self, places):
        """All nodes are enrolled at their sites: {"a": ("FR", "Paris")}. None runs yet."""
        op, self.sites = self.operator(), {}
        for country, city in sorted(set(places.values())):
            body = {"name": city, "country": country, "city": city}
            self.sites[city] = made(op.post(f"/v1/parties/{self.op}/sites", body), "site")["id"]
        for name, node in self.nodes.items():
            node.plug()
            got = made(op.post(f"/v1/sites/{self.sites[places[name][1]]}/nodes", {"name": name}), "node")
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

    def image(self, name, applets):
        """A root of busybox, registered."""
        tree = os.path.join(self.place, "tree")
        for path in ("bin", "etc", "tmp", "root", "proc", "dev", "sys", "data"):
            os.makedirs(os.path.join(tree, path))
        shutil.copy(shutil.which("busybox"), os.path.join(tree, "bin/busybox"))
        for applet in applets:
            os.symlink("busybox", os.path.join(tree, "bin", applet))
        with open(os.path.join(tree, "etc/passwd"), "w", encoding="utf-8") as f:
            f.write("root:x:0:0:root:/root:/bin/sh\n")
        ran("mksquashfs", tree, os.path.join(self.store, "images", name), "-noappend", "-quiet", "-no-progress")
        made(self.operator().post(f"/v1/parties/{self.op}/images", {"name": name, "file": name, "format": "squashfs"}), "image")

    def sells(self, kinds):
        """A plan of the same code for each kind: {"pulse": text of the profile}; and a client who may order them."""
        op, party = self.operator(), self.op
        made(op.post(f"/v1/parties/{party}/items", {"code": "box", "name": "Box", "category": "app", "income": "Services"}), "item")
        for code, text in kinds.items():
            made(op.post(f"/v1/parties/{party}/kinds", {"text": text}), "kind")
            made(op.post(f"/v1/parties/{party}/plans", {"item": "box", "code": code, "name": code, "charges": [
                {"label": code, "kind": "flat", "price": "1.00"}]}), "plan")
            made(op.post(f"/v1/parties/{party}/offers", {"plan": code, "kind": code}), "offer")
        self.signs_up()

    def signs_up(self):
        """A client, who may order what the operator sells."""
        op, party = self.operator(), self.op
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
