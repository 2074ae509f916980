# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tooling ./tooling
RUN npm ci --ignore-scripts
COPY rolldown.config.ts tsconfig.json tsconfig.build.json tsconfig.testing.json ./
COPY src ./src
COPY test/contract ./test/contract
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY tooling ./tooling
# Without scripts: `prepare` builds, which is done above and needs what is left out here.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && rm -rf node_modules/@lading

FROM node:24-slim
LABEL org.opencontainers.image.title="lading" \
      org.opencontainers.image.description="Loads CSV files and queue messages into databases: fast, each record taking effect exactly once, with a receipt that proves it." \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY package.json LICENSE ./
COPY bin ./bin
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# What lading writes by default lies in the working directory: a volume that is mounted there belongs to the same user.
RUN install --directory --owner=node --group=node /var/lib/lading
WORKDIR /var/lib/lading
USER node
# No HEALTHCHECK: a consumer can be asked only where --http says so; when it cannot go on, it ends, and is started again.
ENTRYPOINT ["node", "/app/bin/lading.js"]
CMD ["--help"]
