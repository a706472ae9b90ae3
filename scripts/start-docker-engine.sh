#!/bin/sh
# Makes a Docker engine answer, for the container tests: as root on Debian or Ubuntu it installs docker.io and
# docker-compose where they are absent, and starts dockerd where none runs. Exit 0: an engine answers. Exit 1: none could be
# had, with the reason; the tests that need one then say `skipped: no Docker engine`.
#
# With --pid-file FILE the id of a dockerd that this script started is written there, so that the caller can end it.
#
# What works: on the machine where this was written (Debian 12, dockerd 20.10, kernel 6.18, root, cgroup v1) dockerd starts
# with no option at all: overlay2, a bridge with iptables-nft, names of containers resolved on a network of their own. The
# further attempts are for sandboxes without overlayfs, or without the right to change packet filters; in the last one
# containers of one network still reach each other, but not the outside.
set -u

pid_file=
if [ "${1:-}" = --pid-file ]; then
  pid_file=$2
fi
log=${TMPDIR:-/tmp}/wattmesh-dockerd.log

say() { echo "[docker] $*"; }

answers() { docker version --format '{{.Server.Version}}' > /dev/null 2>&1; }

install_packages() {
  if command -v dockerd > /dev/null && command -v docker > /dev/null && command -v docker-compose > /dev/null; then
    return 0
  fi
  if ! command -v apt-get > /dev/null; then
    say "dockerd or docker-compose is absent, and this system has no apt-get to install it with"
    return 1
  fi
  say "installing docker.io and docker-compose with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install --yes --no-install-recommends docker.io docker-compose iptables; } > "$log" 2>&1 < /dev/null; then
    say "apt-get failed:"
    tail -n 5 "$log"
    return 1
  fi
}

# Starts dockerd with the given options and waits up to 30 s. One that does not answer is ended.
attempt() {
  say "starting dockerd $*"
  setsid dockerd "$@" > "$log" 2>&1 < /dev/null &
  pid=$!
  for _ in $(seq 60); do
    if answers; then
      [ -z "$pid_file" ] || echo "$pid" > "$pid_file"
      say "engine $(docker version --format '{{.Server.Version}}') answers"
      return 0
    fi
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.5
  done
  kill "$pid" 2> /dev/null
  wait "$pid" 2> /dev/null
  say "it did not come up:"
  grep -E 'level=(error|fatal)|failed' "$log" | tail -n 3
  return 1
}

if answers; then
  say "engine $(docker version --format '{{.Server.Version}}') is running already"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  say "no engine answers, and only root can install or start one"
  exit 1
fi
install_packages || exit 1
attempt && exit 0
attempt --storage-driver=vfs && exit 0
attempt --storage-driver=vfs --iptables=false --ip6tables=false && exit 0
exit 1
