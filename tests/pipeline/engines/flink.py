"""A standalone Flink cluster on loopback: a job manager and task managers.

python tests/pipeline/engines/flink.py fetch JARS       fetch the jars with Maven, once
python tests/pipeline/engines/flink.py start JARS       start, print Beam's options, and stay
"""

from __future__ import annotations

from pathlib import Path

from cluster import Cluster
from command import run_command
from jars import JOB_SERVER, java

POM = Path(__file__).with_name("flink.xml")
DRIVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
SLOTS = 2  # of a task manager; one would do, but a job that was left alone may hold some


class FlinkCluster(Cluster):
    """A job manager and two task managers."""

    name, runner = "flink", "FlinkRunner"

    @property
    def beam_args(self) -> list[str]:
        """Beam's options for a job on this cluster."""
        return [
            f"--flink_master=localhost:{self.http}",
            f"--flink_job_server_jar={self.jars / JOB_SERVER}",
            f"--parallelism={self.workers}",
            *super().beam_args,
        ]

    def start_master(self) -> None:
        """Starts the job manager."""
        (self.folder / "flink-conf.yaml").write_text(self._configuration())
        self._start("master", JOB_MANAGER)

    def start_worker(self, number: int) -> None:
        """Starts a task manager."""
        self._start(f"worker-{number}", TASK_MANAGER)

    def count_ready(self) -> int:
        """How many task managers have all of their slots free."""
        return self.ask("overview").get("slots-available", 0) // SLOTS

    def _start(self, name: str, main: str) -> None:
        words = main, "--configDir", str(self.folder)
        memory = "-Xmx512m", "-XX:MaxDirectMemorySize=256m"
        self.start(name, *java(self.jars, *words, options=memory))

    def _configuration(self) -> str:
        settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": self.rpc,
            "jobmanager.bind-host": "localhost",
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": self.http,
            "taskmanager.host": "localhost",
            "taskmanager.bind-host": "localhost",
            "taskmanager.numberOfTaskSlots": SLOTS,
            "taskmanager.load-balance.mode": "SLOTS",
            "taskmanager.cpu.cores": 1,
            "taskmanager.memory.framework.heap.size": "128m",
            "taskmanager.memory.framework.off-heap.size": "64m",
            "taskmanager.memory.task.heap.size": "256m",
            "taskmanager.memory.task.off-heap.size": "64m",
            "taskmanager.memory.network.min": "64m",
            "taskmanager.memory.network.max": "64m",
            "taskmanager.network.sort-shuffle.min-buffers": 64,  # of each shuffle at once; 512
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


if __name__ == "__main__":
    run_command(__doc__, FlinkCluster, POM, DRIVER)
