#!/bin/bash
# `make new-channel` in a copy of the sources: what it makes compiles without a warning, is formatted,
# can be configured, and passes what every channel has to pass.
set -eu
cd "$(dirname "$0")/.."
[ -d build/asan/core ] || { echo "needs build/asan (make test-programs)" >&2; exit 77; }
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# With what is built already, so that only what the new channel changes is built again.
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$copy"
mkdir -p "$copy/build"
cp -a build/.packages "$copy/build/"
cp -a --parents $(find build/asan -name '*.[oad]' -not -path '*/fuzz/*') "$copy/"
cd "$copy"

for wrong in '' Pigeon 'a b' webhook; do
    if make -s new-channel NAME="$wrong" 2>/dev/null; then
        echo "the name \"$wrong\" was taken" >&2
        exit 1
    fi
done
make -s new-channel NAME=test_pigeon >/dev/null
if make -s new-channel NAME=test_pigeon 2>/dev/null; then
    echo "a channel was made twice" >&2
    exit 1
fi
clang-format --dry-run --Werror connectors/test_pigeon/*.[ch]

programs="build/asan/bin/tests/contract/test_channels build/asan/bin/tests/contract/test_deliver
    build/asan/bin/tests/tidy/test_tidy"
make -s QUIET_CC= QUIET_LD= -j2 $programs build/asan/attent
grep -q '"test_pigeon"' tests/contract/test_channels.c tests/contract/test_deliver.c
for program in $programs; do
    "$program" >"$copy/log" 2>&1 || { cat "$copy/log" >&2; exit 1; }
done
cat >"$copy/pigeon.yaml" <<EOF
channels:
  pigeon: {connector: test_pigeon, url: https://example.org/, token: "\${NONE:x}", concurrency: 2}
EOF
build/asan/attent config -c "$copy/pigeon.yaml" | grep -q 'connector: test_pigeon'
