#!/bin/bash
# The official CEL suite, if what it takes is there: Go, and the module that go.mod pins.
# usage: tests/conformance/run.sh ATTENT     exit: 0 all as docs/cel.md says, or skipped; 1 not
set -u
attent=$(realpath "$1") || exit 2
cd "$(dirname "$0")" || exit 2

skip()
{
    echo "conformance: skipped: $*"
    exit 0
}

command -v go >/dev/null || skip "go is not installed (1.23 or newer)"
version=$(GOTOOLCHAIN=local go env GOVERSION)
minor=${version#go1.}
[ "${minor%%[.a-z]*}" -ge 23 ] 2>/dev/null || skip "$version is older than go1.23"
GOTOOLCHAIN=local go mod download || skip "the suite cannot be fetched"
GOTOOLCHAIN=local go run . "$attent" ../../docs/cel.md
