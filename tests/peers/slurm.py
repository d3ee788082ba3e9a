# SPDX-License-Identifier: Apache-2.0
"""A real Slurm of two nodes on this machine, for runs that span nodes: `with Cluster(folder) as cluster: ...`."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from ports import free_ports

CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
SlurmdTimeout=20
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port_1} CPUs=2 RealMemory=4000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port_2} CPUs=2 RealMemory=4000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
MUNGE_SOCKET = pathlib.Path("/run/munge/munge.socket.2")


def why_not():
    """Why no cluster can be started here; empty when one can."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    if not all(shutil.which(program) for program in ("slurmctld", "slurmd", "srun", "sinfo", "munged")):
        return "Slurm is not installed (Debian: slurm-wlm munge)"
    return ""


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))

    def __enter__(self):
        (self.folder / "state").mkdir(parents=True)
        port, port_1, port_2 = free_ports(3)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], folder=self.folder, port=port, port_1=port_1, port_2=port_2))
        self._munge = None
        if not MUNGE_SOCKET.exists():
            MUNGE_SOCKET.parent.mkdir(exist_ok=True)
            shutil.chown(MUNGE_SOCKET.parent, "munge")
            self._munge = subprocess.Popen(["su", "-s", "/bin/sh", "munge", "-c", "exec munged --foreground"],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self._wait(MUNGE_SOCKET.exists, "munged")
        try:
            for command in (["slurmctld"], ["slurmd", "-N", "n1"], ["slurmd", "-N", "n2"]):
                subprocess.run(command, env=self.environment, check=True, capture_output=True)
            self._wait(lambda: self.output("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2", "the nodes")
        except (RuntimeError, subprocess.CalledProcessError):
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in ("n1", "n2", "controller"):
            self._kill(self._pid(name), signal.SIGTERM)
        if self._munge:
            self._munge.terminate()
            self._munge.wait(10)

    def output(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def _pid(self, name):
        file = self.folder / f"{name}.pid"
        return int(file.read_text()) if file.exists() else None

    @staticmethod
    def _kill(pid, number):
        try:
            if pid:
                os.kill(pid, number)
        except ProcessLookupError:
            pass

    @staticmethod
    def _wait(is_there, what, limit_s=30):
        deadline = time.monotonic() + limit_s
        while not is_there():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not come up")
            time.sleep(0.2)

    def kill_node(self, name):
        """The node dies like a machine: its daemon and everything that runs on it, at once. Returns how many processes."""
        victims = [self._pid(name)]
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"SLURMD_NODENAME={name}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    victims.append(int(entry.name))
            except OSError:
                pass
        for victim in victims:
            self._kill(victim, signal.SIGKILL)
        return len(victims)
