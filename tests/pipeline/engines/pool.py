"""Beam's pool of Python workers, for machines of a cluster that share one.

    python tests/pipeline/engines/pool.py PORT

Their workers have the same ids. Beam's own pool, of which each machine has one, would stop that of
another machine; here each ends when its machine hangs up.
"""

from __future__ import annotations

import sys

from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer


class SharedPool(BeamFnExternalWorkerPoolServicer):
    """Starts workers, and leaves it to them when to stop."""

    def StopWorker(self, stop_worker_request, unused_context):
        return beam_fn_api_pb2.StopWorkerResponse()


if __name__ == "__main__":
    SharedPool.start(use_process=True, port=int(sys.argv[1]))[1].wait_for_termination()
