#!/bin/bash
# The shipped rules: they check, interlocks stop what is commercial, and their tests pass.
set -eu
attent=${ATTENT:-build/asan/attent}
"$attent" check rules/ | tee /dev/stderr |
    grep -qF 'hesitating-visitor (commercial) never goes out while one of these holds: bereaved,'
"$attent" test rules/
