#!/usr/bin/env bash
# A misspelt option of Beam is dropped with a line in the log: the pipeline runs elsewhere, or alone.
#
# Versions: Python 3.11, apache-beam 2.77.0.
# Guess: `PipelineOptions` raises for an option that it does not know, as argparse does.
# Seen: `--runer=FlinkRunner` leaves no runner, so that Beam runs in this process; a keyword that is
# misspelt is dropped as well; both only warn. Yet a shortened option such as `--direct_num` is
# not completed as argparse would, but dropped too.
# Who meets it: jobs on a cluster: the work is done on the machine that should only send it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env/bin/python" apache-beam==2.77.0
cat > "$folder/run.py" <<'PYTHON'
import logging
from importlib.metadata import version

from apache_beam.options.pipeline_options import PipelineOptions

told = []
logging.getLogger().addHandler(handler := logging.Handler())
handler.emit = lambda record: told.append(record.getMessage())

seen = {
    "--runer=FlinkRunner": PipelineOptions(["--runer=FlinkRunner"]),
    "--direct_num=4": PipelineOptions(["--direct_num=4"]),
    "direct_num_workrs=4": PipelineOptions([], direct_num_workrs=4),
    "--direct_num_workers=4": PipelineOptions(["--direct_num_workers=4"]),
}
print("apache-beam", version("apache-beam"))
kept = {}
for text, options in seen.items():
    kept[text] = options.get_all_options(drop_default=True)
    print(f"{text}: options that were set: {kept[text]}")
print("log:", [line for line in told if line.startswith("Discarding")])
expected = [{}, {}, {}, {"direct_num_workers": 4}]
assert list(kept.values()) == expected, "the behaviour has changed"
PYTHON
"$folder/env/bin/python" "$folder/run.py"
