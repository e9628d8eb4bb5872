#!/bin/bash
# The shipped rules: they check, their tests pass, and each moment is shown speaking and silent.
set -eu
attent=${ATTENT:-build/asan/attent}
"$attent" check --strict rules/
"$attent" test rules/
