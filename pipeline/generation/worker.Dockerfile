# A worker of Beam with latentloom and its pinned packages, for engines that start workers as containers:
#
#   docker build -f pipeline/generation/worker.Dockerfile -t REGISTRY/latentloom-worker .
#   docker push REGISTRY/latentloom-worker
#
# Beam and Python are those of requirements.lock; a test holds them to it. The image has not been built by the tests.
FROM apache/beam_python3.11_sdk:2.77.0

WORKDIR /opt/latentloom
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY .src .src
COPY augment augment
COPY model_zoo model_zoo
COPY pipeline pipeline
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
    && pip install --no-cache-dir --no-deps --no-build-isolation .

# Beam's own start-up program stays the entry point.
ENTRYPOINT ["/opt/apache/beam/boot"]
