#!/bin/bash
# The simulator: a seed replays to the byte, whatever was played before it; a failure is found, made
# shorter and told; a thousand seeds keep every promise, and every fault has struck where it must.
set -eu
sim=${SIM:-build/sim/sim}

told() { "$sim" --seed "$1" --play "$2"; }
digest() { "$sim" --seeds 60 "$@" | sed -n 's/.*digest //p'; }

for play in toy chain guards ingest dispatch whole; do
    if [ "$(told 42 $play)" != "$(told 42 $play)" ]; then
        echo "seed 42 of $play is not replayed to the byte" >&2
        exit 1
    fi
done
right=$(digest --jobs 1)
if [ "$right" != "$(digest --jobs 2 --chunk 7)" ]; then
    echo "what comes of a seed depends on those before it" >&2
    exit 1
fi

# Killed processes leave what they had, and stacks are ours.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
sim=${SIM_ASAN:-build/asan/sim}
if [ "$right" != "$(digest)" ]; then
    "$sim" --seeds 60
    echo "the same seeds come to something else with sanitizers" >&2
    exit 1
fi
sim=${SIM:-build/sim/sim}

if failure=$("$sim" --seeds 100 --play unwell); then
    echo "a broken promise is not found" >&2
    exit 1
fi
grep -q '^make sim SEED=[0-9]* PLAY=unwell$' <<<"$failure"
grep -q '^it takes 2 of the [0-9]* faults that struck:$' <<<"$failure"
grep -q '=> an answer was lost, and one was late$' <<<"$failure"

"$sim" --seeds "${SEEDS:-1000}"
