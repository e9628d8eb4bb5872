#!/bin/bash
# tests/fuzz.sh [SECONDS]: run every fuzz target from its seed corpus; short (3 s) as a test.
# New inputs go to build/fuzz/corpus; a crash is kept beside them and its path printed.
set -u
seconds=${1:-3} failed=0
for target in build/fuzz/bin/fuzz_*; do
    [ -x "$target" ] || continue
    noun=${target##*/fuzz_}
    found=build/fuzz/corpus/$noun
    mkdir -p "$found"
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=16384 \
        -artifact_prefix="$found/crash-" "$found" "tests/fuzz/corpus/$noun" >"$found.log" 2>&1; then
        printf '  fuzz %-16s %s runs\n' "$noun" "$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$found.log")"
    else
        failed=1
        printf '  fuzz %-16s FAILED\n' "$noun"
        tail -30 "$found.log"
    fi
done
exit $failed
