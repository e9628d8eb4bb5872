#!/bin/bash
# The demo in CI mode ends by itself with exactly the expected tasks and silences, and a second run
# tells the same story, word for word.  README shows a part of it: these lines, in this order.
set -eu
attent=${ATTENT:-build/asan/attent}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for run in 1 2; do
    CI=true "$attent" dev --demo -s console.address= >"$scratch/$run" || {
        cat "$scratch/$run"
        exit 1
    }
    # ports are another each time; nothing else is
    sed -E 's/127\.0\.0\.1:[0-9]+/ADDRESS/' "$scratch/$run" >"$scratch/$run.story"
done
diff "$scratch/1.story" "$scratch/2.story"
grep -q 'hold until .*quiet_hours' "$scratch/1"
grep -q 'hold until .*cap' "$scratch/1"
grep -q 'silent, no_consent' "$scratch/1"
grep -q 'taken back: its reason is gone (payment.received)' "$scratch/1"
grep -q 'webhook   garage, for Dewi' "$scratch/1"
grep -q 'silent, interlock (bereaved' "$scratch/1"
awk -v story="$scratch/1.story" '
    BEGIN { while ((getline line < story) > 0) lines[++count] = line }
    /^```/ { shown = 0 }
    /^[A-Z][a-z][a-z] [0-9][0-9] [A-Z][a-z][a-z] [0-9][0-9]:[0-9][0-9]  event/ { shown = 1 }
    shown && $0 != "..." {
        while (at < count && lines[at + 1] != $0) at++
        if (at == count) { print "README.md:" FNR ": not in the demo: " $0; exit 1 }
        at++
        found++
    }
    END { if (found < 10) { print "README.md: no part of the demo"; exit 1 } }
' README.md
