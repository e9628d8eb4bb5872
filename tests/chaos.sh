#!/bin/bash
# Three minutes of real faults (docs/chaos.md): nothing is lost, doubled or different, and everything comes to rest.
# SEED, LOAD_S and the other settings of `make chaos` may be given.
set -eu
[ -x build/chaos ] || {
    echo "build/chaos is not there: make build/sim/attent build/chaos"
    exit 1
}
LOAD_S=${LOAD_S:-90} EVENTS=${EVENTS:-20000} FAULT_S=${FAULT_S:-3} FAULTS_MIN=${FAULTS_MIN:-10} build/chaos
