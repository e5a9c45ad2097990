# A host in a container: `docker build -t mayfly .`
#
#   docker run -p 4747:4747 -v mayfly:/data -e MAYFLY_TOKEN=... --read-only --stop-timeout 40 mayfly
#
# What is written is written to /data. Without a token the control plane answers only callers inside of the
# container (docs/operating.md, "In a container").

# The Node that package.json names; a test holds the two together.
ARG NODE_VERSION=26.10.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without the pinned Node, which is the image's own, and without scripts, of which no package needs one.
RUN npm install --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY bin bin
COPY guest guest
COPY host host
COPY scripts scripts
RUN node --disable-warning=ExperimentalWarning scripts/compile.ts && rm -r host scripts/compile.ts

FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="Mayfly" \
      org.opencontainers.image.description="A function host for WebAssembly" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build /opt/mayfly
COPY LICENSE /opt/mayfly/
# A volume that is made of this folder has its owner.
RUN install -d -o 1000 -g 1000 -m 0700 /data
ENV MAYFLY_DATA=/data MAYFLY_HOST=0.0.0.0 NODE_ENV=production
WORKDIR /data
VOLUME /data
EXPOSE 4747
# As a number: a cluster that wants no root must be able to tell.
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MAYFLY_PORT ?? 4747}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The supervisor itself is process 1: it takes the signals, and every process of the host is its child.
ENTRYPOINT ["node", "/opt/mayfly/dist/cli/main.js"]
CMD ["serve"]
