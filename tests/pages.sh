#!/bin/bash
# The pages that show a session are run as they are printed: their files are written, their commands run in a copy of
# the rules, and what they print is what the page shows.  The Kafka that rules are put in force on is that of attent dev.
set -eu
attent=$(realpath "${ATTENT:-build/asan/attent}")
scratch=$(mktemp -d)
dev=
leave()
{
    [ -z "$dev" ] || { kill "$dev" 2>/dev/null && wait "$dev"; } || true
    rm -rf "$scratch"
}
trap leave EXIT

mkdir "$scratch/bin"
ln -s "$attent" "$scratch/bin/attent"
export PATH="$scratch/bin:$PATH" NO_COLOR=1 COLUMNS=100

: >"$scratch/dev"
"$attent" dev -s console.address= >"$scratch/dev" 2>&1 &
dev=$!
for ((i = 0; i < 300; i++)); do
    brokers=$(sed -n 's/^  Kafka  *\([^ ]*\) .*/\1/p' "$scratch/dev")
    [ -z "$brokers" ] || break
    sleep 0.1
done
[ -n "$brokers" ] || { cat "$scratch/dev"; exit 1; }
for page in first-moment testing-moments texts; do
    mkdir "$scratch/$page"
    cp -r rules schemas "$scratch/$page"
    printf 'kafka: {brokers: "%s"}\npartitions: 4\n' "$brokers" >"$scratch/$page/attent.yaml"
    python3 tests/support/session.py "docs/$page.md" "$scratch/$page"
done
