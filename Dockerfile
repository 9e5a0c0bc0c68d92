# syntax=docker/dockerfile:1

# The version that rust-toolchain.toml names.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
# SQL is checked against the query data in crates/store/.sqlx: no database is needed here.
ENV SQLX_OFFLINE=true
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package mf-server --bin moltflow \
    && install -D target/release/moltflow /out/moltflow \
    && mkdir /out/data

# glibc, libgcc, CA certificates, and nothing else: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="MoltFlow, self-hosted" \
      org.opencontainers.image.description="A server for the MoltFlow v2 API: WhatsApp for businesses and agencies" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/moltflow /usr/local/bin/moltflow
# A new volume takes its owner from here.
COPY --from=build --chown=nonroot:nonroot /out/data /data
COPY LICENSE NOTICE /usr/share/doc/moltflow/
ENV MOLTFLOW_ADDR=0.0.0.0:8080 \
    MOLTFLOW_DATA_DIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Requests and messages under way are finished first: give it MOLTFLOW_SHUTDOWN_SECONDS and some.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 \
    CMD ["moltflow", "healthcheck"]
ENTRYPOINT ["moltflow"]
