#!/bin/bash
# docs/first-moment.md is run as it is printed: its files are written, its commands run in a copy of the rules,
# and what they print is what the page shows.  The Kafka that it puts rules in force on is that of attent dev.
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

mkdir "$scratch/bin" "$scratch/work"
ln -s "$attent" "$scratch/bin/attent"
cp -r rules schemas "$scratch/work"
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
printf 'kafka: {brokers: "%s"}\npartitions: 4\n' "$brokers" >"$scratch/work/attent.yaml"

python3 tests/support/session.py docs/first-moment.md "$scratch/work"
