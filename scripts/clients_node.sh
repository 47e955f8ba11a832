#!/bin/sh
# Installs the Node clients of `make clients` into .clients/node, as the lock file pins them, unless
# they are there.
set -eu
cd "$(dirname "$0")/.."

folder=.clients/node
stamp=$folder/.ready
wanted=$(cat tests/clients/package.json tests/clients/package-lock.json | cksum)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0
echo "Setting up $folder."
rm -rf "$folder"
mkdir -p "$folder"
cp tests/clients/package.json tests/clients/package-lock.json "$folder"
(cd "$folder" && npm ci --ignore-scripts --no-fund --no-audit --silent)
printf '%s\n' "$wanted" > "$stamp"
