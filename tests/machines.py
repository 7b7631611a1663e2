"""A real machine with data, for the tests of a Cloud (apart.py): the small image of tools/vm-image, and words with it.

Wants what apart.py wants, and libvirt, QEMU and a Debian mirror; `lacks_machine` says which is not there.
"""

import hashlib
import io
import os
import shutil
import tarfile
import urllib.request

from apart import missing, small_machine  # noqa: F401 (for who measures it)
from harness import made, until

MACHINE_SECONDS = 400  # an emulated processor on a machine under load
VM_PROGRAMS = "libvirtd virtlogd qemu-system-x86_64 qemu-img genisoimage bwrap prlimit apt-get".split()
MACHINE = """
name: box
version: "1"
title: Box
author: test
runtime: vm
image: {name: box, format: qcow2}
resources: {cpu: "1", memory: 128 MiB, disk: 32 MiB}
user_data: |
  #cloud-config
  hostname: small
ports:
  - {name: web, port: 80, published: true}
promises:
  - {name: web, kind: tcp, target: web, every_s: 5}
backup_disk: true
"""


def lacks_machine():
    return missing(*VM_PROGRAMS) or small_machine()[1]


def machine_image(cloud):
    """Registered as "box", which MACHINE starts from."""
    shutil.copy(small_machine()[0], os.path.join(cloud.store, "images", "box"))
    made(cloud.operator().post(f"/v1/parties/{cloud.op}/images", {"name": "box", "file": "box", "format": "qcow2"}), "image")


def sets_out(cloud):
    """Refused as long as the node where it could go has not told that its old copy there is gone."""
    path = f"/v1/services/{cloud.service}/actions/move"
    until("it sets out", lambda: cloud.client.post(path, None).status == 200)


def ask(cloud, path):
    facts = cloud.show()["facts"]
    port = [f["value"] for f in facts if f["name"] == "web.port"][0]  # none yet: until asks again
    address = cloud.ground.address(cloud.at())
    with urllib.request.urlopen(f"http://{address}:{port}{path}", timeout=5) as reply:
        return reply.read().decode().strip()


def mark(cloud, text):
    """Written into a sector of its disk, by itself."""
    until(f"it writes {text}", lambda: ask(cloud, f"/cgi-bin/mark?{text}") == text, MACHINE_SECONDS)


def marked(cloud, text):
    until(f"its disk says {text}", lambda: ask(cloud, "/cgi-bin/mark") == text, MACHINE_SECONDS)


def write_ova(path, disk, second, manifest=None):
    """The data disk stands first in the disk section; the machine's items say that it is the second one."""
    ovf = """<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
      xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="r"><References><File ovf:id="f" ovf:href="disk.vmdk"/>
      <File ovf:id="g" ovf:href="data.vmdk"/></References>
      <DiskSection><Disk ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="e" ovf:fileRef="g"/>
      <Disk ovf:capacity="24" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="d" ovf:fileRef="f"/>
      </DiskSection><VirtualSystem><VirtualHardwareSection><Item><rasd:ResourceType>3</rasd:ResourceType>
      <rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
      <Item><rasd:HostResource>ovf:/disk/d</rasd:HostResource><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:HostResource>ovf:/disk/e</rasd:HostResource><rasd:ResourceType>17</rasd:ResourceType></Item>
      </VirtualHardwareSection></VirtualSystem></Envelope>""".encode()
    files = [("old.ovf", ovf)]
    for name, file in (("disk.vmdk", disk), ("data.vmdk", second)):
        with open(file, "rb") as f:
            files.append((name, f.read()))
    sums = "".join(f"SHA256({n})= {manifest or hashlib.sha256(b).hexdigest()}\n" for n, b in files)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (files[0], ("old.mf", sums.encode()), *files[1:]):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
