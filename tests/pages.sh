#!/bin/bash
# The pages that show a session are run as they are printed: their files are written, their commands run in a copy of
# the rules, and what they print is what the page shows.  The Kafka that rules are put in force on is that of attent dev.
set -eu
attent=$(realpath "${ATTENT:-build/asan/attent}")
scratch=$(mktemp -d)
dev=
feed=
leave()
{
    [ -z "$feed" ] || { kill "$feed" 2>/dev/null && wait "$feed"; } || true
    [ -z "$dev" ] || { kill "$dev" 2>/dev/null && wait "$dev"; } || true
    rm -rf "$scratch"
}
trap leave EXIT

mkdir "$scratch/bin"
ln -s "$attent" "$scratch/bin/attent"
export PATH="$scratch/bin:$PATH" NO_COLOR=1 COLUMNS=100

: >"$scratch/dev"
"$attent" dev -s console.address= -s sources.parcels.mode=json -s sources.parcels.type=parcel.reported \
    -s sources.parcels.subject=/customer_no -s sources.parcels.time=/at >"$scratch/dev" 2>&1 &
dev=$!
for ((i = 0; i < 300; i++)); do
    brokers=$(sed -n 's/^  Kafka  *\([^ ]*\) .*/\1/p' "$scratch/dev")
    [ -z "$brokers" ] || break
    sleep 0.1
done
[ -n "$brokers" ] || { cat "$scratch/dev"; exit 1; }

# What docs/connect-a-source.md connects: a parcel service that reports all day, a hundred times before anybody looks.
parcels()
{
    local states=(sent delayed delivered) carriers=(north south) n carrier
    for ((n = 1; ; n++)); do
        carrier=", \"carrier\": \"${carriers[n % 2]}\""
        [ $((n % 9)) -ne 0 ] || carrier=
        printf '{"parcel": "P%d", "status": "%s", "at": "%s", "customer_no": %d, "days_late": %d%s}\n' \
            "$n" "${states[n % 3]}" "$(date -u +%FT%TZ)" "$n" $((n % 3 == 1 ? n % 5 : 0)) "$carrier"
        [ "$n" -lt 100 ] || sleep 0.3
    done
}
export KAFKA=$brokers
parcels > >(kcat -P -b "$KAFKA" -t parcels >"$scratch/feed" 2>&1) &
feed=$!

for page in first-moment testing-moments texts connect-a-source; do
    mkdir "$scratch/$page"
    cp -r rules schemas "$scratch/$page"
    printf 'kafka: {brokers: "%s"}\npartitions: 4\n' "$brokers" >"$scratch/$page/attent.yaml"
    python3 tests/support/session.py "docs/$page.md" "$scratch/$page"
done
