#!/bin/bash
# The shipped rules: they check, interlocks stop what is commercial, and their tests pass.
set -eu
attent=${ATTENT:-build/asan/attent}
said=$("$attent" check rules/)
echo "$said" >&2
grep -qF 'hesitating-visitor (commercial) never goes out while one of these holds: bereaved,' <<<"$said"
grep -qF 'interlocks: proved to stop 1 of 1 commercial action' <<<"$said"
"$attent" test rules/
