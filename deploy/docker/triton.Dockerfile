# Penchant in NVIDIA's Triton, for production. Needs BuildKit; from the root of the repository:
#
#   docker build -f deploy/docker/triton.Dockerfile --build-arg TRITON_IMAGE=IMAGE@sha256:DIGEST .
#
# TRITON_IMAGE: NVIDIA's tritonserver, a tag that ends with -py3, 26.07 or newer, with its digest.
ARG TRITON_IMAGE

FROM ${TRITON_IMAGE} AS base
ARG TRITON_IMAGE
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# A tag may be moved, a digest can't.
RUN [[ "${TRITON_IMAGE}" =~ @sha256:[0-9a-f]{64}$ ]] || \
    { echo "TRITON_IMAGE: got '${TRITON_IMAGE}', expected IMAGE@sha256:DIGEST" >&2; exit 1; }

FROM base AS build
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends python3-venv && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG NUMPY=2.4.6
ARG REQUIREMENTS=.[backend]
RUN deploy/docker/build-environment.sh /opt/penchant "${NUMPY}" "${REQUIREMENTS}"

FROM base
COPY --from=build /opt/penchant /opt/penchant
RUN groupadd --gid 10001 penchant && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp penchant && \
    install -d -o 10001 -g 10001 -m 0700 /var/lib/penchant /run/penchant
# The models run in the first python3 of the path.
ENV PATH=/opt/penchant/venv/bin:/opt/tritonserver/bin:${PATH} \
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
