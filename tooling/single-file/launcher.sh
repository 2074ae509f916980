#!/bin/sh
# Lading VERSION for PLATFORM, with its own Node. The first run unpacks it into the user's cache; later ones find it there.
set -eu
if [ -z "${XDG_CACHE_HOME:-${HOME:-}}" ]; then
  echo 'lading: set HOME or XDG_CACHE_HOME: the first run unpacks itself there' >&2
  exit 78
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lading
home=$cache/CONTENT
if [ ! -d "$home" ]; then
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  tail -n +LINES "$0" | tar -xzf - -C "$new"
  # Whole or not at all. Of several first runs one comes first; the others' folders land inside it.
  mv "$new" "$home"
  rm -rf "$home/${new##*/}"
fi
exec "$home/node" "$home/app/bin/lading.js" "$@"
