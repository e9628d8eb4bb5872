#!/bin/bash
# The shipped rules: they check, and their tests pass.
set -eu
attent=${ATTENT:-build/asan/attent}
"$attent" check rules/
"$attent" test rules/
