#!/bin/sh
# conf/postern.conf and docs/man/postern.conf.5 are what the option rows say. "make regenerate" mends it.
to=$(mktemp -d) || exit 99
trap 'rm -rf "$to"' EXIT
"$SRCDIR/docs/regenerate" "$WORKER" "$SRCDIR" "$to" || exit 99
status=0
for file in conf/postern.conf docs/man/postern.conf.5; do
    diff -u "$SRCDIR/$file" "$to/$file" || status=1
done
exit $status
