# syntax=docker/dockerfile:1
# keyvigil as a container: `docker build -t keyvigil .`, `docker run --rm -p 127.0.0.1:10539:10539 keyvigil demo --listen 0.0.0.0:10539`.
ARG NODE_IMAGE=node:24.21.0-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of a dependency runs, here or later.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
COPY bin ./bin
COPY config ./config
# Served by the daemon: every alert links to its own.
COPY docs/runbooks ./docs/runbooks
COPY LICENSE CHANGELOG.md ./
# The owner of a directory in the image becomes the owner of a new named volume that is mounted there.
RUN install -d -m 0700 -o 65532 -g 65532 /data

FROM ${NODE_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="keyvigil" \
      org.opencontainers.image.description="Watches the keys and secrets your services depend on, across clouds." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing here installs packages, so nothing here can.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg
COPY --from=build /app/package.json /app/LICENSE /app/CHANGELOG.md /app/
COPY --from=build /app/bin /app/bin
COPY --from=build /app/config /app/config
COPY --from=build /app/docs /app/docs
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build --chown=65532:65532 /data /data
ENV NODE_ENV=production \
    KEYVIGIL_CONFIG=/etc/keyvigil/keyvigil.yml
# By number, so that Kubernetes can tell that it is not root. Writes to /data (the state) and /tmp (`demo`), nowhere else.
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 10539
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/app/bin/keyvigil.js", "healthcheck"]
ENTRYPOINT ["node", "/app/bin/keyvigil.js"]
CMD ["serve"]
