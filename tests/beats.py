"""A service that beats and counts, and a witness that hears every beat and from which node it comes."""

import socket
import threading
import time

from apart import Cloud, Ground
from harness import made, until

NAMES = ("a", "b", "c")
APPLETS = "sh cat echo sleep nc tar mkdir mv rm true dd".split()
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
        [ -e /data/next ] && mv /data/next /data/n
        n=$(cat /data/n 2>/dev/null || echo 0)
        n=$((n+1))
        echo $n >/data/n.new && mv /data/n.new /data/n
        echo $n | nc -w 1 WITNESS PORT
        sleep 0.3
      done
  # Beside the process, which goes on: what it writes at that moment would be the last word, so it is handed the number.
  - path: /etc/restore.sh
    content: |
      rm -rf /data/in
      mkdir /data/in && tar -C /data/in -x || exit 1
      [ ! -e /data/in/n ] || mv /data/in/n /data/next
      rm -rf /data/in
processes:
  - {name: beat, command: [/bin/sh, /etc/beat.sh], stop_ms: 500}
backup: [/bin/tar, -C, /data, -c, .]
restore: [/bin/sh, /etc/restore.sh]
backup_every_s: 86400
"""


class Witness:
    """Hears beats: (when, which node, number)."""

    def __init__(self, ground):
        self.ground = ground
        self.beats = []
        self.listener = socket.create_server((ground.here, 0), backlog=64)
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
            self.beats.append((time.monotonic(), self.ground.name_at(peer[0]), number))

    def of(self, name):
        return [b for b in self.beats if b[1] == name]


class Beating(Cloud):
    def __init__(self, place, names=NAMES, small=()):
        super().__init__(place, Ground("hnfo", "10.99.7", names), small)
        self.witness = Witness(self.ground)
        self.backup = None

    def backups(self):
        return made(self.client.get(f"/v1/services/{self.service}/backups"), "backups")["items"]

    def beats_now(self, name):
        count = len(self.witness.of(name))
        return until(f"beats of {name}", lambda: len(self.witness.of(name)) > count + 2)

    def pulse_image(self):
        self.image("pulse", APPLETS)

    def pulse(self):
        """The profile of a service that beats to the witness, and counts."""
        return PULSE.replace("WITNESS", self.ground.here).replace("PORT", str(self.witness.port))
