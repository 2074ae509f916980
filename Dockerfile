# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc LICENSE ./
COPY tooling ./tooling
RUN npm ci --ignore-scripts
COPY rolldown.config.ts tsconfig.json tsconfig.build.json tsconfig.testing.json ./
COPY src ./src
COPY bin ./bin
COPY test/contract ./test/contract
RUN npm run build
# What is laid here is the whole image: test/flow/image.test.ts runs the same step, and what it lays, without an engine.
RUN node tooling/image/main.ts /image && chroot /image node /app/bin/lading.js --version

FROM scratch
LABEL org.opencontainers.image.title="lading" \
      org.opencontainers.image.description="Loads files (CSV, TSV, NDJSON, JSON) and queue messages into databases: fast, each record taking effect exactly once, with a receipt that proves it." \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /image /
ENV PATH=/usr/local/bin
# What lading writes by default lies in the working directory: a volume that is mounted there belongs to the same user.
WORKDIR /var/lib/lading
# By number, which Kubernetes can tell from root.
USER 1000:1000
# No HEALTHCHECK: a consumer can be asked only where --http says so (compose.yaml does); when it cannot go on, it ends, and
# is started again.
ENTRYPOINT ["/usr/local/bin/node", "/app/bin/lading.js"]
CMD ["--help"]
