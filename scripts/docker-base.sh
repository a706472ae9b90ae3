#!/bin/sh
# Makes a base image for docker/Dockerfile out of this machine's own Node 24, where no image registry can be reached:
#
#   scripts/docker-base.sh [NAME]        (default: wattmesh-base)
#
# It holds node in /usr/local/bin with the shared libraries that it and native addons load, a shell, the certificate
# authorities, and the users root and node (1000): what docker/Dockerfile asks of an official Node image, less npm.
set -eu

name=${1:-wattmesh-base}
root=$(cd "$(dirname "$0")/.." && pwd -P)
node=$(node "$root/scripts/run.mjs" setup)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/etc/ssl/certs" "$tree/usr/local/bin" "$tree/home/node" "$tree/root" "$tree/tmp"
chmod 1777 "$tree/tmp"
cp -L "$node" "$tree/usr/local/bin/node"
cp -L "$(command -v sh)" "$tree/bin/sh"

# Lines of ldd: "libc.so.6 => /lib/.../libc.so.6 (0x...)", "/lib64/ld-linux-x86-64.so.2 (0x...)". A library keeps its
# path, because that is where the loader looks for it.
for program in "$tree/usr/local/bin/node" "$tree/bin/sh"; do
  ldd "$program" | sed -n 's/^[^/]*\(\/[^ ]*\) (0x[0-9a-f]*)$/\1/p' | while read -r library; do
    mkdir -p "$tree$(dirname "$library")"
    cp -L "$library" "$tree$library"
  done
done
# Native addons ask for parts of the C library that Node itself does not load.
libc=$(ldd "$node" | sed -n 's/^.*libc\.so[^/]*\(\/[^ ]*\) (0x[0-9a-f]*)$/\1/p')
for part in librt.so.1 libresolv.so.2 libutil.so.1 libnss_dns.so.2 libnss_files.so.2; do
  if [ -e "$(dirname "$libc")/$part" ]; then
    cp -L "$(dirname "$libc")/$part" "$tree$(dirname "$libc")/$part"
  fi
done

for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
  if [ -r "$certificates" ]; then
    cp -L "$certificates" "$tree/etc/ssl/certs/ca-certificates.crt"
    break
  fi
done
printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n' > "$tree/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' > "$tree/etc/group"
# Names of peers come from the engine's name server; loopback names from the hosts file that the engine writes.
printf 'hosts: files dns\n' > "$tree/etc/nsswitch.conf"

tar --create --owner=0 --group=0 --numeric-owner --directory "$tree" . |
  docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'LABEL wattmesh.image=base' --change 'CMD ["node"]' - "$name" > /dev/null
echo "$name: Node $("$node" --version) with its libraries"
