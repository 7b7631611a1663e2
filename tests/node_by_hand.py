"""A node without an agent: what it says is written by the test, and signed as the agent does."""

import base64
import hashlib
import json
import os
import subprocess
import time


class Node:
    """Signs with openssl, as the agent does with libsodium."""

    def __init__(self, place, server):
        self.server = server
        self.pem = os.path.join(place, "node.pem")
        self.id = None
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.pem], check=True, timeout=30)
        der = subprocess.run(["openssl", "pkey", "-in", self.pem, "-pubout", "-outform", "DER"], check=True, timeout=30,
                             capture_output=True).stdout
        self.key = der[-32:].hex()

    def sign(self, text):
        path = self.pem + ".message"
        with open(path, "wb") as f:
            f.write(text)
        made = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in", path], check=True,
                              capture_output=True, timeout=30).stdout
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def call(self, method, target, body=None, changed=False, headers=None):
        text = b"" if body is None else json.dumps(body).encode()
        at = str(int(time.time() * 1000000))
        lines = [method, target, at, self.id, hashlib.sha256(text).hexdigest()]
        signature = self.sign("".join(line + "\n" for line in lines).encode())
        sent = {"Hanse-Node": self.id, "Hanse-Time": at, "Hanse-Signature": signature, **(headers or {})}
        if changed:
            target += "&x=1" if "?" in target else "?x=1"
        return self.server.client().call(method, target, body, headers=sent)
