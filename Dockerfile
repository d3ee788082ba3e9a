ARG BASE=debian:bookworm-slim
FROM ${BASE} AS dependencies
# What changes seldom: Debian's packages, LibTorch, OpenVINO, FAISS, weights. The same setup as on a machine without containers.
ARG TORCH=cpu
WORKDIR /src
COPY setup ./
RUN ./setup --dependencies --torch ${TORCH} && rm -rf /var/lib/apt/lists/*

FROM dependencies AS build
# What changes often. SETUP_OPTIONS: more for setup, such as -DIMATCH_WERROR=ON; COMMIT: what --version says.
ARG TORCH=cpu
ARG SETUP_OPTIONS=
ARG COMMIT=
COPY . .
# The installed tree is laid out in two parts, so that a change of the sources makes a small last layer only.
RUN --mount=type=cache,id=imatch-ccache,target=/root/.cache/ccache \
    IMATCH_COMMIT=${COMMIT} ./setup --torch ${TORCH} ${SETUP_OPTIONS} \
    && cmake --install build --prefix /tree/opt/imatch-lua >/dev/null \
    && packaging/bundle_libraries.py /tree/opt/imatch-lua \
    && packaging/sbom.py /tree/opt/imatch-lua \
    && docker/split_tree.sh /tree /libraries \
    && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /libraries/etc/ssl/certs/ca-certificates.crt

FROM ${BASE}
# Any user may be given by --user: what is written goes to mounted folders, to the volume /cache and to /tmp.
ENV PATH=/opt/imatch-lua/words:/opt/imatch-lua/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 HOME=/cache XDG_CACHE_HOME=/cache XDG_STATE_HOME=/cache/state \
    WEIGHTS_ROOT=/workspace/weights DATASET_HOST=/opt/datasets REFERENCE_HOST=/opt/references EXPORT_HOST=/exports \
    EMBED_ROOT=/exports/dinov3_embeds FAISS_OUT_ROOT=/exports/faiss_out \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN mkdir -p /workspace/project /workspace/dinov3 /workspace/weights /workspace/data /workspace/output /opt/datasets \
      /opt/references /exports /cache \
    && chmod 1777 /cache /exports /opt/references /workspace/project /workspace/data /workspace/output
VOLUME /cache
WORKDIR /workspace/project
USER 1000:1000
HEALTHCHECK --interval=60s --timeout=20s --start-period=5s CMD ["imatch-lua", "doctor", "--health"]
ENTRYPOINT ["/opt/imatch-lua/words/entrypoint"]
COPY --from=build /libraries/ /
COPY --from=build /tree/ /
ARG COMMIT=
LABEL org.opencontainers.image.title="imatch-lua" \
      org.opencontainers.image.description="Matching of aerial photographs: experiments in Lua, everything heavy in C++" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.documentation="/opt/imatch-lua/share/doc/imatch-lua/README.md"
