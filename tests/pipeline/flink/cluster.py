"""A standalone Flink cluster on loopback: a job manager, task managers, Beam's Python workers.

    python tests/pipeline/flink/cluster.py fetch JARS       fetch the jars with Maven, once
    python tests/pipeline/flink/cluster.py start JARS       start, print Beam's options, and stay

The jars are those of Beam's Flink runner with all that it depends on, Flink itself among them. The
job server, which `FlinkRunner` starts for every job, is a jar that names them as its class path.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
JOB_SERVER = "job-server.jar"
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
# What Flink reads of the JDK by reflection, as its own scripts open it.
OPENED = [
    f"java.base/{package}"
    for package in (
        *("java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "sun.nio.ch"),
        *("java.text", "java.time", "java.util", "java.util.concurrent"),
        *("java.util.concurrent.atomic", "java.util.concurrent.locks"),
    )
]
START_SECONDS = 90
SLOTS = 2  # of a task manager; one would do, but a job that was left alone may hold some


def fetch(jars: Path) -> None:
    """Fetches the jars with Maven, unless they are there, and makes the job server of them."""
    if not (jars / JOB_SERVER).exists():
        maven = ["mvn", "--quiet", "--batch-mode", "--file", str(POM)]
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={jars.resolve()}"]
        subprocess.run([*maven, *copy], check=True)
        write_job_server(jars)


def write_job_server(jars: Path) -> None:
    """Writes the jar that `java -jar` starts the job server with."""
    attributes = {
        "Manifest-Version": "1.0",
        "Main-Class": "org.apache.beam.runners.flink.FlinkJobServerDriver",
        "Class-Path": " ".join(sorted(jar.name for jar in jars.glob("*.jar"))),
        "Add-Opens": " ".join(OPENED),
    }
    lines = [_folded(f"{name}: {value}") for name, value in attributes.items()]
    temporary = jars / f".{JOB_SERVER}"
    with zipfile.ZipFile(temporary, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "\r\n".join(lines) + "\r\n\r\n")
    temporary.replace(jars / JOB_SERVER)


def _folded(line: str) -> str:
    """A line of a manifest, which may be 72 bytes long; what goes on begins with a space."""
    parts = [line[:72], *(line[start : start + 71] for start in range(72, len(line), 71))]
    return "\r\n ".join(parts)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class FlinkCluster(contextlib.AbstractContextManager):
    """Starts with the `with` block and stops with it.

    Args:
        jars: Folder that `fetch` filled.
        task_managers: How many to start; a job has a Python worker on each.
        folder: For configuration and logs; a temporary one by default.
    """

    def __init__(self, jars: Path, task_managers: int = 2, folder: Path | None = None):
        self.jars, self.task_managers = jars.resolve(), task_managers
        self.folder = folder or Path(tempfile.mkdtemp(prefix="latentloom-flink-"))
        self.rest, self.rpc, self.pool = free_port(), free_port(), free_port()
        self.processes: dict[str, subprocess.Popen] = {}

    @property
    def beam_args(self) -> list[str]:
        """Beam's options for a job on this cluster."""
        return [
            f"--flink_master=localhost:{self.rest}",
            f"--flink_job_server_jar={self.jars / JOB_SERVER}",
            f"--parallelism={self.task_managers}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{self.pool}",
        ]

    def __enter__(self) -> FlinkCluster:
        (self.folder / "flink-conf.yaml").write_text(self._configuration())
        try:
            self._start("job-manager", *self._java(JOB_MANAGER))
            for number in range(self.task_managers):
                self.start_task_manager(number)
            self._start("pool", sys.executable, __file__, "pool", str(self.pool))
            self.wait_for(SLOTS * self.task_managers)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start_task_manager(self, number: int) -> None:
        """Starts a task manager, again if it was killed."""
        self._start(f"task-manager-{number}", *self._java(TASK_MANAGER))

    def kill(self, name: str) -> None:
        """Kills a process at once, as a machine that is lost."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def wait_for(self, slots: int) -> None:
        """Waits until so many slots are free."""
        deadline = time.monotonic() + START_SECONDS
        while self._free_slots() < slots:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Flink did not start; see the logs in {self.folder}")
            time.sleep(0.2)

    def _free_slots(self) -> int:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.rest}/overview") as answer:
                return json.load(answer)["slots-available"]
        except OSError:
            return -1

    def _java(self, main: str) -> list[str]:
        opens = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
        classes = ["-cp", f"{self.jars}/*", main, "--configDir", str(self.folder)]
        return ["java", *opens, "-Xmx512m", "-XX:MaxDirectMemorySize=256m", *classes]

    def _start(self, name: str, *command: str) -> None:
        # Beam's pool starts its workers as `python`: that must be this one.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=os.environ | {"PATH": path},
                start_new_session=True,
            )

    def _configuration(self) -> str:
        settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": self.rpc,
            "jobmanager.bind-host": "localhost",
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": self.rest,
            "taskmanager.host": "localhost",
            "taskmanager.bind-host": "localhost",
            "taskmanager.numberOfTaskSlots": SLOTS,
            "taskmanager.load-balance.mode": "SLOTS",
            "taskmanager.cpu.cores": 1,
            "taskmanager.memory.framework.heap.size": "128m",
            "taskmanager.memory.framework.off-heap.size": "64m",
            "taskmanager.memory.task.heap.size": "256m",
            "taskmanager.memory.task.off-heap.size": "64m",
            "taskmanager.memory.network.min": "32m",
            "taskmanager.memory.network.max": "32m",
            "taskmanager.memory.managed.size": "128m",
            "taskmanager.memory.jvm-metaspace.size": "128m",
            "taskmanager.memory.jvm-overhead.min": "64m",
            "taskmanager.memory.jvm-overhead.max": "64m",
            "heartbeat.interval": 1000,  # two that fail tell of a death; of a slow machine, none
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 3,
            "restart-strategy.fixed-delay.delay": "1 s",
            "io.tmp.dirs": self.folder,
        }
        return "".join(f"{name}: {value}\n" for name, value in settings.items())


def serve_pool(port: int) -> None:
    """Beam's pool of Python workers, for task managers that share it.

    Their workers have the same ids. Beam's own pool, of which each machine has one, would stop that
    of another task manager; here each ends when its task manager hangs up.
    """
    from apache_beam.portability.api import beam_fn_api_pb2
    from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

    class SharedPool(BeamFnExternalWorkerPoolServicer):
        def StopWorker(self, stop_worker_request, unused_context):
            return beam_fn_api_pb2.StopWorkerResponse()

    _, server = SharedPool.start(use_process=True, port=port)
    server.wait_for_termination()


def main() -> None:
    """Fetches the jars, or runs a cluster or its pool until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["fetch", "start", "pool"])
    parser.add_argument("jars", type=Path, help="folder of the jars; of a pool, its port")
    parser.add_argument("--task-managers", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.verb == "pool":
        serve_pool(int(str(arguments.jars)))
    fetch(arguments.jars)
    if arguments.verb == "start":
        with FlinkCluster(arguments.jars, arguments.task_managers) as cluster:
            print("--runner FlinkRunner --", *cluster.beam_args, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
        shutil.rmtree(cluster.folder)


if __name__ == "__main__":
    main()
