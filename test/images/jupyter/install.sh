#!/bin/sh
# Puts JupyterLab into the Debian at $1. For runContained, whose mount namespace ends with it: nothing mounted here stays.
set -eu
root=$1
cp "$(dirname "$0")/requirements.txt" "$root/tmp/"
chroot "$root" useradd --uid 1000 --home-dir /home/project --shell /bin/bash project
# With Debian's packages in sight, so that pip lets a user without rights install into the home directory.
chroot "$root" python3 -m venv --system-site-packages /opt/jupyter

# pip uses this machine's settings, certificates and resolver, and no layer holds them.
for folder in /etc /run; do
  mount --rbind "$folder" "$root$folder"
  # Whatever goes wrong in here, or removes the draft: not this machine's.
  mount -o remount,bind,ro "$root$folder"
done
export PYTHONNOUSERSITE=1
# Exactly the versions that are listed and nothing that must be compiled.
chroot "$root" /opt/jupyter/bin/pip install --quiet --no-deps --only-binary=:all: --no-compile --no-cache-dir \
  --requirement /tmp/requirements.txt
chroot "$root" /opt/jupyter/bin/pip check
rm "$root/tmp/requirements.txt"

# A layer has no times, by which Python would take its compiled files for outdated, and compile anew at every start.
chroot "$root" python3 -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.* \
  /opt/jupyter/lib
