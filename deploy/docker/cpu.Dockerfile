# Penchant on a CPU, with the Triton that comes as a package (24.10): for development and tests. Needs
# BuildKit; from the root of the repository:
#
#   docker build -f deploy/docker/cpu.Dockerfile --build-arg PYTHON_IMAGE=IMAGE@sha256:DIGEST .
#
# PYTHON_IMAGE: the official image of Python, a tag that begins with 3.11-slim, with its digest. Its
# version matters: the package carries a stub for each version of Python.
ARG PYTHON_IMAGE

FROM ${PYTHON_IMAGE} AS base
ARG PYTHON_IMAGE
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# A tag may be moved, a digest can't.
RUN [[ "${PYTHON_IMAGE}" =~ @sha256:[0-9a-f]{64}$ ]] || \
    { echo "PYTHON_IMAGE: got '${PYTHON_IMAGE}', expected IMAGE@sha256:DIGEST" >&2; exit 1; }

FROM base AS build
WORKDIR /src
COPY . .
ARG REQUIREMENTS=.[backend]
RUN deploy/docker/build-environment.sh /opt/penchant 1.26.4 "${REQUIREMENTS}" nvidia-pytriton==0.7.0

FROM base
COPY --from=build /opt/penchant /opt/penchant
RUN groupadd --gid 10001 penchant && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp penchant && \
    install -d -o 10001 -g 10001 -m 0700 /var/lib/penchant /run/penchant
# The models run in the first python3 of the path.
ENV PATH=/opt/penchant/venv/bin:${PATH} \
    PENCHANT_STORE=lmdb:/var/lib/penchant/store \
    PENCHANT_ENCODER=/opt/penchant/encoder \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
USER 10001:10001
# Written to, beside /tmp: the root may be read-only.
VOLUME ["/var/lib/penchant", "/run/penchant"]
WORKDIR /run/penchant
EXPOSE 8001 8002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --retries=6 CMD ["penchant", "probe"]
ENTRYPOINT ["penchant"]
CMD ["serve"]
