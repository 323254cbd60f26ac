#!/bin/sh
# The browser tests use the system's Chromium; this installs it where it is missing.
set -e
if [ "$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null; then run="sudo -n"; else run="no"; fi
if [ "$run" = no ] || ! command -v apt-get >/dev/null; then
  echo "The browser tests need Chromium: install it with your system's packages" >&2
  exit 1
fi
echo "Installing Chromium"
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
