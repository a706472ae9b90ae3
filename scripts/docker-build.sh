#!/bin/sh
# Builds the image of a peer:
#
#   scripts/docker-build.sh [NAME]                 from an official Node image; dependencies are installed in the build
#   scripts/docker-build.sh --local-base [NAME]    with no image registry and no network in the build: the base comes
#                                                  from this machine (docker-base.sh), the dependencies from its pnpm store
#
# NAME is wattmesh-peer by default, which is what docker/compose.yaml runs.
set -eu

local_base=no
if [ "${1:-}" = --local-base ]; then
  local_base=yes
  shift
fi
name=${1:-wattmesh-peer}
root=$(cd "$(dirname "$0")/.." && pwd -P)
# The classic builder is enough, and is there where the newer one is not.
export DOCKER_BUILDKIT=0

if [ "$local_base" = no ]; then
  exec docker build --file "$root/docker/Dockerfile" --tag "$name" "$root"
fi

"$root/scripts/docker-base.sh" wattmesh-base
node=$(node "$root/scripts/run.mjs" setup)
context=$(mktemp -d "$root/.tools/docker-context.XXXXXX")
trap 'rm -rf "$context"' EXIT
tar --create --directory "$root" --exclude=node_modules --no-wildcards-match-slash --exclude='packages/*/test' --exclude='packages/*/bench' \
  package.json pnpm-lock.yaml pnpm-workspace.yaml LICENSE packages docker scripts/toolchain |
  tar --extract --directory "$context"
(
  cd "$context"
  PATH="$(dirname "$node"):$PATH" "$root/.tools/node_modules/.bin/pnpm" install --prod --frozen-lockfile \
    --prefer-offline --reporter=silent --config.confirm-modules-purge=false
)
docker build --network none --build-arg BASE_IMAGE=wattmesh-base --file "$context/docker/Dockerfile" --tag "$name" "$context"
# What an earlier build left without a name, and the first stage of this one.
docker image prune --force --filter label=wattmesh.image > /dev/null
