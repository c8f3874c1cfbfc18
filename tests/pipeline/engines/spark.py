"""A standalone Spark cluster on loopback: a master and workers.

python tests/pipeline/engines/spark.py fetch JARS       fetch the jars with Maven, once
python tests/pipeline/engines/spark.py start JARS       start, print Beam's options, and stay
"""

from __future__ import annotations

from pathlib import Path

from cluster import Cluster
from command import run_command
from jars import JOB_SERVER, java

POM = Path(__file__).with_name("spark.xml")
DRIVER = "org.apache.beam.runners.spark.SparkJobServerDriver"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
EXECUTOR_MEMORY = "512m"


class SparkCluster(Cluster):
    """A master and two workers."""

    name, runner = "spark", "SparkRunner"

    def __init__(self, jars: Path, workers: int = 2, folder: Path | None = None):
        super().__init__(jars, workers, folder)
        home = self.folder / "home"  # where Spark looks for its jars
        home.mkdir()
        (home / "jars").symlink_to(self.jars)
        self.environment = {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_SCALA_VERSION": "2.12",
        }

    @property
    def beam_args(self) -> list[str]:
        """Beam's options for a job on this cluster."""
        return [
            f"--spark_master_url={self._url}",
            f"--spark_job_server_jar={self.jars / JOB_SERVER}",
            f"--job_server_jvm_properties=-Dspark.executor.memory={EXECUTOR_MEMORY}",
            *super().beam_args,
        ]

    @property
    def _url(self) -> str:
        return f"spark://localhost:{self.rpc}"

    def start_master(self) -> None:
        """Starts the master."""
        ports = "--port", str(self.rpc), "--webui-port", str(self.http)
        self._start("master", MASTER, *ports)

    def start_worker(self, number: int) -> None:
        """Starts a worker of one core."""
        size = "--cores", "1", "--memory", EXECUTOR_MEMORY
        places = "--work-dir", str(self.folder / f"work-{number}"), "--webui-port", "0"
        self._start(f"worker-{number}", WORKER, *size, *places, self._url)

    def count_ready(self) -> int:
        """How many workers the master has."""
        return self.ask("json/").get("aliveworkers", 0)

    def _start(self, name: str, main: str, *words: str) -> None:
        self.start(
            name, *java(self.jars, main, "--host", "localhost", *words, options=["-Xmx256m"])
        )


if __name__ == "__main__":
    run_command(__doc__, SparkCluster, POM, DRIVER)
