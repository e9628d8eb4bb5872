#!/bin/bash
# The official CEL suite, if what it takes is there: Go, and the module that go.mod pins.
# usage: tests/conformance/run.sh ATTENT
# exit: 0 all as docs/cel.md says, 1 not, 77 skipped (the last line says why)
set -u
attent=$(realpath "$1") || exit 2
cd "$(dirname "$0")" || exit 2
export GOTOOLCHAIN=local

skip()
{
    echo "skipped: $*"
    exit 77
}

is_recent()
{
    version=$(go env GOVERSION 2>/dev/null || echo none)
    local minor=${version#go1.}
    [ "${minor%%[.a-z]*}" -ge 23 ] 2>/dev/null
}

# The machine's own Go, or the one of `deploy/install go`.
is_recent || PATH=$(realpath ../../build/go/bin 2>/dev/null):$PATH
is_recent || skip "it takes Go 1.23 or newer, here is $version; 'deploy/install go' fetches it"
go mod download || skip "the suite's module cannot be fetched"
go run . "$attent" ../../docs/cel.md
