#!/bin/sh
# Makes ./configure from a clone.
set -e
cd "$(dirname "$0")"
mkdir -p m4
exec autoreconf -fi
