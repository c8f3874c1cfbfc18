#!/usr/bin/env bash
# Measures latentloom on a machine with a GPU that has neither TensorFlow nor a network.

set -euo pipefail

usage() {
    cat <<'TEXT'
Measures training and decoding with JAX on a GPU machine without TensorFlow and without network.

  gpu.sh pack [DIR] [--data NAME=SOURCE ...]   at home: downloads wheels and converts data into DIR
  gpu.sh [DIR] [--quick] [--set KEY=VALUE ...] on the GPU machine: measures, prints a table last
  gpu.sh check [OUT]                           at home: reads the trained bundles with TensorFlow

DIR is build/gpu unless named. SOURCE is a folder of idx files, a data set directory, or what
`latentloom import` takes (builtin:digits, builtin:fonts, npz:FILE); NAME picks the configurations
configs/*_NAME.yaml.
The GPU machine needs this repository with DIR in it, Python with pip, and JAX; PyTorch is compared
with where it is installed. Nothing of the machine is changed: the wheels that it lacks go into a
temporary folder.

  --quick       smoke sections of the configurations and few steps, for trying it on a CPU
  --set         overrides a setting of every configuration, such as train.dtype_policy=mixed_bfloat16

Variables:
  PYTHON          interpreter, default python3, at home .venv/bin/python
  PYTHON_VERSION  for `pack`: versions of the GPU machine's Python, default that of PYTHON;
                  several as "3.12 3.13"
  LEAVE_OUT       for `pack`: packages that the GPU machine has, such as "h5py scikit-learn"
  OUT             folder of the results, default DIR/out: gpu.json, and one archive a trained bundle
  LIMIT_S         seconds after which what is left is skipped, default 540
TEXT
}

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
root=$(realpath "$here/../..")

home_python() {
    echo "${PYTHON:-$root/.venv/bin/python}"
}

# Installs the carried wheels that the machine lacks into the folder $site; --dry-run has pip
# say which those are. (A virtual environment made by an interpreter that lies in one itself would
# not see that one's packages.)
install_missing() {
    local dir=$1 missing
    local pip=("$python" -m pip --disable-pip-version-check)
    local carried=(--quiet --no-index --no-deps --find-links "$dir/wheels")
    [[ -f $dir/requirements.txt ]] || {
        echo "'$dir' holds no wheels. Expected: what 'gpu.sh pack' wrote. Run it where there is network." >&2
        exit 2
    }
    "${pip[@]}" install --dry-run --report "$site/report.json" "${carried[@]}" \
        -r "$dir/requirements.txt"
    missing=$("$python" -c 'import json, sys
for item in json.load(open(sys.argv[1]))["install"]:
    print("{name}=={version}".format(**item["metadata"]))' "$site/report.json")
    # shellcheck disable=SC2086  # one word a package
    [[ -z $missing ]] || "${pip[@]}" install --no-compile --target "$site" "${carried[@]}" $missing
    echo "installed for this run:" ${missing:-nothing}
}

measure() {
    local dir=$root/build/gpu
    [[ $# -eq 0 || $1 == -* ]] || { dir=$(realpath "$1"); shift; }
    python=${PYTHON:-python3}
    site=$(mktemp -d)
    trap 'rm -rf "$site"' EXIT
    install_missing "$dir"
    export PYTHONPATH="$site:$root/.src" KERAS_BACKEND=jax PYTHONUNBUFFERED=1
    "$python" "$here/gpu/parts.py" --carried "$dir" --out "${OUT:-$dir/out}" \
        --spent "$SECONDS" "$@"
}

case ${1:-} in
    -h | --help) usage ;;
    pack) shift; PYTHONPATH="$root/.src" "$(home_python)" "$here/gpu/pack.py" "$@" ;;
    check) shift; PYTHONPATH="$root/.src" KERAS_BACKEND=tensorflow "$(home_python)" "$here/gpu/check.py" "$@" ;;
    *) measure "$@" ;;
esac
